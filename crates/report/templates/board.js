// The explorer: a board to draw on, examples, the probabilities of each network, and the planes.

const BOARD = 280; // pixels of the board's side
const FEW = 12; // more classes than this have no columns side by side
const LISTED = 5; // classes that are listed if there are many

// The drawn strokes as an image like those of MNIST: scaled to fit 20 of 28 pixels, with their centre
// of mass in the middle. All channels are equal. `null` if nothing is drawn.
function normalise(canvas, [channels, height, width]) {
  const [columns, lines] = [canvas.width, canvas.height];
  const alpha = canvas.getContext("2d").getImageData(0, 0, columns, lines).data;
  let [left, top, right, bottom] = [columns, lines, -1, -1];
  for (let y = 0; y < lines; y++)
    for (let x = 0; x < columns; x++)
      if (alpha[4 * (y * columns + x) + 3] > 20) {
        left = Math.min(left, x); right = Math.max(right, x);
        top = Math.min(top, y); bottom = Math.max(bottom, y);
      }
  if (right < 0) return null;
  const scale = (20 / 28) * Math.min(height, width) / Math.max(right - left + 1, bottom - top + 1);
  const [w, h] = [(right - left + 1) * scale, (bottom - top + 1) * scale];
  const render = (dx, dy) => {
    const small = Object.assign(document.createElement("canvas"), { width, height });
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, left, top, right - left + 1, bottom - top + 1, dx, dy, w, h);
    const pixels = context.getImageData(0, 0, width, height).data;
    return Array.from({ length: height * width }, (_, i) => pixels[4 * i + 3] / 255);
  };
  const first = render((width - w) / 2, (height - h) / 2);
  let [mass, mx, my] = [0, 0, 0];
  first.forEach((v, i) => { mass += v; mx += v * (i % width); my += v * Math.floor(i / width); });
  if (mass === 0) return null;
  // In MNIST's images the centre of mass is, on average, in the middle of the pixel to the
  // lower right of the image's centre.
  const grey = render((width - w) / 2 + width / 2 - mx / mass, (height - h) / 2 + height / 2 - my / mass);
  return Array.from({ length: channels }, () => grey).flat();
}

// The probabilities of one network, as bars.
class Bars {
  constructor(parent, { name, scale, layers }, classes) {
    Object.assign(this, { name, scale, layers, classes });
    const box = make("div", parent, { className: "network" });
    make("h4", box, { textContent: name });
    // Long names do not fit below columns.
    this.isList = classes.length > FEW || classes.some((name) => name.length > 2);
    this.items = make("ul", box, { className: this.isList ? "list" : "bars" });
    this.show(null);
  }

  // Shows the probabilities of an image, or empty bars for `null`. Returns the answer as words.
  show(pixels) {
    const shares = pixels && softmax(forward(this.layers, scaled(this.scale, pixels)));
    this.shares = shares;
    let order = this.classes.map((_, k) => k);
    if (this.isList) order = (shares ? order.sort((a, b) => shares[b] - shares[a]) : order).slice(0, LISTED);
    const most = shares ? Math.max(...shares) : NaN;
    this.items.replaceChildren();
    for (const k of order) {
      const share = shares ? shares[k] : 0;
      const item = make("li", this.items, { className: share === most ? "most" : "" });
      if (this.isList) make("span", item, { textContent: this.classes[k] });
      const bar = make("div", item, { className: this.isList ? "line" : "column", ariaHidden: "true" });
      make("span", bar).style[this.isList ? "width" : "height"] = `${100 * share}%`;
      if (this.isList) make("span", item, { textContent: shares ? share.toFixed(2) : "-" });
      else {
        make("div", item, { textContent: shares ? share.toFixed(2) : "-" });
        make("b", item, { textContent: this.classes[k] });
      }
    }
    return shares ? `${this.name}: ${this.classes[shares.indexOf(most)]} with probability ${most.toFixed(2)}` : "";
  }
}

// The field to draw in, with a pen for the keyboard.
class Board {
  // `changed` is called after every stroke.
  constructor(parent, changed) {
    const box = make("div", parent, { className: "board" });
    this.canvas = make("canvas", box, { className: "field pad", width: BOARD, height: BOARD, id: "pad", tabIndex: 0, role: "application",
      ariaLabel: "A field to draw in. The arrow keys move a pen, the space key lowers and lifts it, and Escape clears the field." });
    this.pen = make("div", box, { className: "pen", hidden: true });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(this.context, { lineWidth: 20, lineCap: "round", lineJoin: "round", strokeStyle: "#ffffff", imageSmoothingEnabled: false });
    Object.assign(this, { isExample: false, at: [BOARD / 2, BOARD / 2], isDown: false, changed });
    let last = null;
    const at = (event) => {
      const area = this.canvas.getBoundingClientRect();
      return [(event.clientX - area.left) * BOARD / area.width, (event.clientY - area.top) * BOARD / area.height];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      last = at(event);
      this.stroke(last, last);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = at(event);
      this.stroke(last, next);
      last = next;
    });
    for (const end of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(end, () => { if (last) { last = null; changed(); } });
    this.canvas.addEventListener("focus", () => { this.pen.hidden = !this.canvas.matches(":focus-visible"); this.showPen(); });
    this.canvas.addEventListener("blur", () => { this.pen.hidden = true; });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
    if (step) {
      const next = this.at.map((v, k) => Math.min(Math.max(v + step[k], 10), BOARD - 10));
      if (this.isDown) { this.stroke(this.at, next); this.changed(); }
      this.at = next;
    } else if (event.key === " ") {
      this.isDown = !this.isDown;
      if (this.isDown) { this.stroke(this.at, this.at); this.changed(); }
    } else if (event.key === "Escape") {
      this.clear();
      this.changed();
    } else return;
    event.preventDefault();
    this.pen.hidden = false;
    this.showPen();
  }

  showPen() {
    this.pen.classList.toggle("down", this.isDown);
    [this.pen.style.left, this.pen.style.top] = this.at.map((v) => `${100 * v / BOARD}%`);
  }

  stroke(from, to) {
    if (this.isExample) this.clear();
    this.context.beginPath(); this.context.moveTo(...from); this.context.lineTo(...to); this.context.stroke();
  }

  clear() {
    this.isExample = false;
    this.context.clearRect(0, 0, BOARD, BOARD);
  }

  // Shows an example. The first stroke removes it.
  showExample(canvas) {
    this.clear();
    this.context.drawImage(canvas, 0, 0, BOARD, BOARD);
    this.isExample = true;
  }
}

async function startExplorer(root, data) {
  const { shape, classes } = data;
  for (const { layers } of data.classifiers) await prepare(layers);
  for (const { encoder, decoder } of data.planes) await Promise.all([prepare(encoder), prepare(decoder)]);
  const decode = (text) => Array.from(atob(text), (c) => c.charCodeAt(0) / 255);
  const examples = data.examples.map(({ label, pixels }) => ({ label, pixels: decode(pixels) }));
  const row = make("div", root, { className: "row" });
  const left = make("div", row, { className: "drawing" });
  const right = make("div", row, { className: "networks", id: "networks" });
  let networks = [], planes = [];
  const said = make("p", right, { className: "unseen", ariaLive: "polite" });
  let latest = null;
  // Shows an image. The networks compute after the next frame, so that a stroke appears at once.
  const show = async (pixels) => {
    latest = pixels;
    showImage(seen, pixels ?? new Array(shape[0] * shape[1] * shape[2]).fill(0));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    if (pixels !== latest) return; // there is a newer image
    said.textContent = networks.map((network) => network.show(pixels)).join("; ");
    if (pixels) for (const plane of planes) plane.move(forward(plane.encoder, pixels));
  };
  // Digits are drawn like those of MNIST. Other images have no such rule, and are drawn alike.
  make("h3", left, { textContent: classes.every((name) => /^[0-9]$/.test(name)) ? "Draw a digit" : "Draw" });
  const board = new Board(left, () => show(normalise(board.canvas, shape)));
  const choose = make("div", left, { className: "examples", role: "group", ariaLabel: "Examples" });
  for (const example of examples) {
    const { label, pixels } = example;
    const button = make("button", choose, { type: "button", ariaLabel: `example: ${classes[label] ?? label}` });
    example.canvas = make("canvas", button, { width: shape[2], height: shape[1], ariaHidden: true });
    showImage(example.canvas, pixels);
    button.addEventListener("click", () => { board.showExample(example.canvas); show(pixels); });
  }
  const tools = make("p", left, { className: "small" });
  make("button", tools, { textContent: "Clear", type: "button" }).addEventListener("click", () => { board.clear(); show(null); });
  tools.append(" The networks see ");
  const seen = imageCanvas(tools, shape, "digit seen", "the image as the networks receive it");
  make("h3", right, { textContent: "Probability of each class" });
  networks = data.classifiers.map((network) => new Bars(right, network, classes));
  const below = make("div", root, { className: "row" });
  planes = data.planes.map((plane) => new Plane(below, plane, shape));
  // An example is there from the start, so that nothing is empty: the first one that all networks
  // recognise.
  const recognised = ({ label, pixels }) => networks.every(({ scale, layers }) => {
    const logits = forward(layers, scaled(scale, pixels));
    return logits.indexOf(Math.max(...logits)) === label;
  });
  const first = examples.find(recognised) ?? examples[0];
  if (first) board.showExample(first.canvas);
  await show(first?.pixels ?? null);
  for (const plane of planes) plane.drawGrid();
  return { networks, planes };
}

// The page is painted first, because the weights take some time to decode.
const explorerData = document.getElementById("explorer-data");
if (explorerData)
  requestAnimationFrame(() => setTimeout(async () => {
    window.trained = await startExplorer(document.getElementById("explorer"), JSON.parse(explorerData.textContent));
  }));
