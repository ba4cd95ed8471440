// Curves that answer: pointing, tapping or the arrow keys show the values of an epoch, the legend
// switches cells on and off, and the vertical axis can be linear or logarithmic. Without this
// script, the page has the same curves as drawings.

const SVG = "http://www.w3.org/2000/svg";

// A number with about four digits.
function shortNumber(v) {
  if (v === null || v === undefined) return "-";
  if (v !== 0 && (Math.abs(v) < 1e-3 || Math.abs(v) >= 1e5)) return v.toExponential(2);
  return String(Number(v.toPrecision(4)));
}

// Marks of an axis: round numbers, or on a logarithmic axis 1, 2 and 5 times powers of ten.
function axisMarks(low, high, isLog) {
  if (!isLog) {
    const power = 10 ** Math.floor(Math.log10((high - low) / 5));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((step) => (high - low) / step <= 7);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  }
  const decades = Math.log10(high / low);
  const digits = decades <= 3 ? [1, 2, 5] : [1];
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += Math.max(1, Math.ceil(decades / 8)))
    for (const digit of digits) marks.push(digit * 10 ** power);
  return marks.filter((mark) => low <= mark && mark <= high);
}

class Chart {
  constructor(drawn, data) {
    this.data = data;
    this.isLog = data.log;
    this.hidden = new Set();
    this.epoch = null;
    const box = document.createElement("div");
    box.className = "chart";
    drawn.before(box);
    const legend = make("div", box, { className: "legend", role: "group", ariaLabel: "Curves" });
    for (const [n, { name, colour }] of data.curves.entries()) {
      const button = make("button", legend, { type: "button", ariaPressed: "true" });
      make("span", button, { className: "sample" }).style.background = colour;
      button.append(name);
      button.addEventListener("click", () => {
        if (!this.hidden.delete(n)) this.hidden.add(n);
        button.ariaPressed = String(!this.hidden.has(n));
        this.draw();
      });
    }
    const scale = make("button", legend, { type: "button" });
    const label = () => { scale.textContent = this.isLog ? "Linear scale" : "Logarithmic scale"; };
    label();
    scale.addEventListener("click", () => { this.isLog = !this.isLog; label(); this.draw(); });
    this.svg = box.appendChild(document.createElementNS(SVG, "svg"));
    this.svg.setAttribute("tabindex", "0");
    this.svg.setAttribute("role", "application");
    this.svg.setAttribute("aria-label", `${data.y} by ${data.x}. The left and right arrow keys choose an ${data.x}.`);
    this.readout = make("p", box, { className: "readout", ariaLive: "polite" });
    this.drawn = drawn;
    drawn.hidden = true;
    const point = (event) => {
      const area = this.svg.getBoundingClientRect();
      this.choose(this.epochAt(event.clientX - area.left));
    };
    this.svg.addEventListener("pointermove", point);
    this.svg.addEventListener("pointerdown", point);
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const epochs = this.epochs();
      const at = this.epoch === null ? (step > 0 ? -1 : epochs.length) : epochs.indexOf(this.epoch);
      this.choose(epochs[Math.min(Math.max(at + step, 0), epochs.length - 1)]);
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  curves() { return this.data.curves.filter((_, n) => !this.hidden.has(n)); }

  epochs() { return [...new Set(this.data.curves.flatMap(({ epochs }) => epochs))].sort((a, b) => a - b); }

  epochAt(x) {
    const distance = (epoch) => Math.abs(this.x(epoch) - x);
    return this.epochs().reduce((best, epoch) => (distance(epoch) < distance(best) ? epoch : best));
  }

  choose(epoch) {
    this.epoch = epoch;
    const values = this.curves().map(({ name, epochs, test, train }) => {
      const at = epochs.indexOf(epoch);
      return at < 0 ? null : `${name}: test ${shortNumber(test[at])}, train ${shortNumber(train[at])}`;
    });
    this.readout.textContent = `${this.data.x} ${epoch}. ${values.filter(Boolean).join("; ")}`;
    this.drawPointer();
  }

  add(tag, attributes, text) {
    const element = this.svg.appendChild(document.createElementNS(SVG, tag));
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  draw() {
    const width = this.svg.parentElement.clientWidth - 16;
    if (width <= 0) return;
    const height = Math.min(400, Math.max(260, 0.45 * width));
    const [left, right, top, bottom] = [62, width - 24, 10, height - 44];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.style.height = `${height}px`;
    this.svg.replaceChildren();
    const can = (v) => v !== null && v !== undefined && (!this.isLog || v > 0);
    const all = this.curves().flatMap(({ test, train, low, high }) => [...test, ...train, ...low, ...high]).filter(can);
    let [least, most] = all.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    if (least > most) [least, most] = this.isLog ? [0.1, 1] : [0, 1];
    const scaled = this.isLog ? Math.log10 : (v) => v;
    const margin = 0.04 * (scaled(most) - scaled(least)) || 0.1 * Math.abs(scaled(most)) || 0.1;
    const [from, to] = [scaled(least) - margin, scaled(most) + margin];
    const epochs = this.epochs();
    const [first, last] = [epochs[0], epochs[epochs.length - 1]];
    this.x = (epoch) => left + (last > first ? (epoch - first) / (last - first) : 0.5) * (right - left);
    const y = (v) => bottom - (scaled(v) - from) / (to - from) * (bottom - top);
    const unscaled = (v) => (this.isLog ? 10 ** v : v);
    for (const mark of axisMarks(unscaled(from), unscaled(to), this.isLog)) {
      this.add("path", { d: `M${left} ${y(mark).toFixed(1)}H${right}`, stroke: "#e4e4e4" });
      this.add("text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, shortNumber(mark));
    }
    const whole = last > first ? axisMarks(first, last, false).filter(Number.isInteger) : [first];
    for (const mark of whole)
      this.add("text", { x: this.x(mark), y: bottom + 18, "text-anchor": "middle" }, shortNumber(mark));
    this.add("path", { d: `M${left} ${top}V${bottom}H${right}`, fill: "none", stroke: "#333333" });
    this.add("text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, this.data.x);
    const label = this.add("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(14 ${(top + bottom) / 2}) rotate(-90)` }, this.data.y);
    label.setAttribute("textLength", Math.min(bottom - top, label.getComputedTextLength?.() || 200));
    label.setAttribute("lengthAdjust", "spacingAndGlyphs");
    for (const { epochs, colour, test, train, low, high } of this.curves()) {
      const points = (values) => values.map((v, i) => [epochs[i], v]).filter(([, v]) => can(v)).map(([e, v]) => `${this.x(e).toFixed(1)} ${y(v).toFixed(1)}`);
      const band = [...points(low), ...points(high).reverse()];
      if (band.length) this.add("path", { d: `M${band.join("L")}z`, fill: colour, "fill-opacity": 0.15 });
      for (const [values, dash] of [[train, "6 4"], [test, "none"]]) {
        const line = points(values);
        if (line.length === 1) this.add("circle", { cx: line[0].split(" ")[0], cy: line[0].split(" ")[1], r: 4, fill: dash === "none" ? colour : "none", stroke: colour });
        else if (line.length) this.add("path", { d: `M${line.join("L")}`, fill: "none", stroke: colour, "stroke-width": dash === "none" ? 2.5 : 1.5, "stroke-dasharray": dash });
      }
    }
    this.pointer = this.add("path", { stroke: "#333333", "stroke-dasharray": "2 2", d: "" });
    this.ends = [top, bottom];
    this.drawPointer();
  }

  drawPointer() {
    if (this.epoch === null || !this.pointer) return;
    this.pointer.setAttribute("d", `M${this.x(this.epoch).toFixed(1)} ${this.ends[0]}V${this.ends[1]}`);
  }
}

// A chart is made when its figure is first seen, so that the page opens quickly.
const seenFigures = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seenFigures.unobserve(target);
    const figure = target.closest("figure");
    figure.chart = new Chart(target, JSON.parse(figure.querySelector("script.curves").textContent));
  }
}, { rootMargin: "300px" });
for (const script of document.querySelectorAll("script.curves"))
  seenFigures.observe(script.closest("figure").querySelector(".drawn"));
