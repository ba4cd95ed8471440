// The explorer: planes of codes with a point to drag, and a field to draw in.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const root = document.getElementById("explorer");
  const [channels, height, width] = data.shape;
  const classes = data.classes;
  // Digits are drawn like those of MNIST. Other images have no such rule, and are drawn alike.
  const digits = classes.every((name) => /^[0-9]$/.test(name));
  const COLOURS = ["#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#000000"];
  const make = (tag, parent, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));

  // Draws numbers [channels, height, width] in [0, 1] on a canvas of the same size. With one
  // channel they are grey.
  function show(canvas, pixels) {
    const image = new ImageData(width, height);
    const area = height * width;
    for (let i = 0; i < area; i++) {
      const of = (channel) => Math.round(255 * Math.min(Math.max(pixels[channel * area + i], 0), 1));
      const colour = channels === 3 ? [of(0), of(1), of(2)] : [of(0), of(0), of(0)];
      image.data.set([...colour, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  const picture = (parent, label) =>
    make("canvas", parent, { className: "digit", width, height, ariaLabel: label, role: "img" });

  // The codes of a cell in the plane, a point to drag, and the image that the point's code is
  // decoded to.
  class Plane {
    constructor(parent, plane) {
      this.name = plane.name;
      this.encoder = prepare(plane.encoder);
      this.decoder = prepare(plane.decoder);
      this.codes = plane.codes;
      const box = make("div", parent, { className: "plane" });
      make("h4", box, { textContent: `${plane.name} (seed ${plane.seed})` });
      this.canvas = make("canvas", box, { className: "field", width: 400, height: 400, tabIndex: 0, role: "img",
        ariaLabel: `The plane of ${plane.name}. Drag the point, or move it with the arrow keys.` });
      this.image = picture(box, `the image that ${plane.name} decodes the point to`);
      this.text = make("p", box);
      const axis = (k) => {
        const values = plane.codes.map((code) => code[k]).sort((a, b) => a - b);
        const at = (share) => values[Math.floor((values.length - 1) * share)];
        const [low, high] = [at(0.005), at(0.995)];
        const margin = 0.05 * (high - low) || 1;
        return [low - margin, high + margin];
      };
      this.x = axis(1);
      this.y = axis(2);
      this.background = this.draw();
      const median = (k) => plane.codes.map((code) => code[k]).sort((a, b) => a - b)[plane.codes.length >> 1];
      this.move([median(1), median(2)]);
      const drag = (event) => {
        const area = this.canvas.getBoundingClientRect();
        const share = [(event.clientX - area.left) / area.width, 1 - (event.clientY - area.top) / area.height];
        this.move([this.x, this.y].map(([low, high], k) => low + Math.min(Math.max(share[k], 0), 1) * (high - low)));
      };
      this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); drag(event); });
      this.canvas.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
      this.canvas.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!step) return;
        event.preventDefault();
        this.move(this.code.map((z, k) => z + (step[k] * ([this.x, this.y][k][1] - [this.x, this.y][k][0])) / 50));
      });
    }

    // The pixel of a code.
    place([z0, z1]) {
      const share = (z, [low, high]) => (z - low) / (high - low);
      return [400 * share(z0, this.x), 400 * (1 - share(z1, this.y))];
    }

    // The background: a dot for each code, in the colour of its label.
    draw() {
      const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 400 });
      const context = canvas.getContext("2d");
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, 400, 400);
      for (const [label, z0, z1] of this.codes) {
        const [x, y] = this.place([z0, z1]);
        context.fillStyle = COLOURS[label % 10];
        context.fillRect(x - 1, y - 1, 2.5, 2.5);
      }
      return canvas;
    }

    // Moves the point to `code`.
    move(code) {
      this.code = Array.from(code);
      const context = this.canvas.getContext("2d");
      context.drawImage(this.background, 0, 0);
      const [x, y] = this.place(this.code);
      context.beginPath();
      context.arc(x, y, 8, 0, 7);
      context.lineWidth = 5; context.strokeStyle = "#ffffff"; context.stroke();
      context.lineWidth = 3; context.strokeStyle = "#000000"; context.stroke();
      show(this.image, forward(this.decoder, this.code));
      this.text.textContent = `code ${this.code.map((z) => z.toFixed(2)).join(", ")}`;
    }
  }

  // The drawn strokes as an image like those of MNIST: scaled to fit 20 of 28 pixels, with their centre
  // of mass in the middle. All channels are equal. `null` if nothing is drawn.
  function normalise(canvas) {
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
    const [dx, dy] = [(width - w) / 2, (height - h) / 2];
    const first = render(dx, dy);
    let [mass, mx, my] = [0, 0, 0];
    first.forEach((v, i) => { mass += v; mx += v * (i % width); my += v * Math.floor(i / width); });
    if (mass === 0) return null;
    // In MNIST's images the centre of mass is, on average, in the middle of the pixel to the
    // lower right of the image's centre.
    const grey = render(dx + width / 2 - mx / mass, dy + height / 2 - my / mass);
    return Array.from({ length: channels }, () => grey).flat();
  }

  const planes = make("div", root, { className: "row" });
  const shown = data.planes.map((plane) => new Plane(planes, plane));
  const networks = data.classifiers.map(({ name, scale, layers }) => ({ name, scale, layers: prepare(layers) }));

  const row = make("div", root, { className: "row" });
  const left = make("div", row, { className: "drawing" });
  make("h4", left, { textContent: digits ? "Draw a digit" : "Draw" });
  const pad = make("canvas", left, { className: "field pad", width: 280, height: 280, id: "pad", role: "img", ariaLabel: "A field to draw in" });
  const seen = picture(left, "the drawing as the networks receive it");
  const clear = make("button", left, { textContent: "Clear", type: "button" });
  const right = make("div", row, { className: "probabilities" });
  make("h4", right, { textContent: "Probability of each class, by network" });
  const table = make("table", right, { id: "probabilities" });
  const head = make("tr", make("thead", table));
  make("th", head, { textContent: "network" });
  for (const name of classes) make("th", head, { textContent: name, className: "right" });
  const body = make("tbody", table);
  const rows = networks.map(({ name }) => {
    const line = make("tr", body);
    make("td", line, { textContent: name });
    return classes.map(() => make("td", line, { textContent: "-", className: "right" }));
  });

  const pen = pad.getContext("2d", { willReadFrequently: true });
  pen.lineWidth = 20; pen.lineCap = "round"; pen.lineJoin = "round"; pen.strokeStyle = "#ffffff";
  // Shows the probabilities of the drawing, and moves the points to its codes.
  function update() {
    const pixels = normalise(pad);
    show(seen, pixels ?? new Array(channels * height * width).fill(0));
    networks.forEach(({ scale, layers }, n) => {
      const shares = pixels && softmax(forward(layers, scaled(scale, pixels)));
      rows[n].forEach((cell, label) => {
        cell.textContent = shares ? shares[label].toFixed(2) : "-";
        cell.classList.toggle("most", Boolean(shares) && shares[label] === Math.max(...shares));
      });
    });
    if (pixels) for (const plane of shown) plane.move(forward(plane.encoder, pixels));
  }
  let last = null;
  const at = (event) => {
    const area = pad.getBoundingClientRect();
    return [(event.clientX - area.left) * 280 / area.width, (event.clientY - area.top) * 280 / area.height];
  };
  const stroke = (event) => {
    const next = at(event);
    pen.beginPath(); pen.moveTo(...last); pen.lineTo(...next); pen.stroke();
    last = next;
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); last = at(event); stroke(event); });
  pad.addEventListener("pointermove", (event) => { if (last) stroke(event); });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => { last = null; update(); });
  clear.addEventListener("click", () => { pen.clearRect(0, 0, 280, 280); update(); });
  update();
})();
