// Images on canvases, and the planes of codes.

const make = (tag, parent, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));

// Draws numbers [channels, height, width] in [0, 1] on a canvas of this size. With one channel
// they are grey.
function showImage(canvas, pixels) {
  const { width, height } = canvas;
  const image = new ImageData(width, height);
  const area = height * width;
  const byte = (v) => Math.round(255 * Math.min(Math.max(v, 0), 1));
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++)
      image.data[4 * i + c] = byte(pixels[(pixels.length === 3 * area ? c * area : 0) + i]);
  for (let i = 0; i < area; i++) image.data[4 * i + 3] = 255;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const imageCanvas = (parent, [, height, width], className, ariaLabel) =>
  make("canvas", parent, { className, width, height, ariaLabel, role: "img" });

// The colours of the classes, which are repeated after ten (Paul Tol, "Colour schemes").
const COLOURS = ["#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#000000"];
const SIDE = 680; // pixels of a plane, two for each pixel of the page
const GRID = 14; // decoded images along each side of a plane

// The codes of a cell in the plane, on the images that the codes decode to. A point shows where the
// decoded image beside the plane comes from.
class Plane {
  constructor(parent, plane, shape) {
    this.name = plane.name;
    this.shape = shape;
    this.encoder = plane.encoder;
    this.decoder = plane.decoder;
    this.codes = plane.codes;
    const box = make("div", parent, { className: "plane" });
    make("h3", box, { textContent: `Plane of ${plane.name}` });
    this.canvas = make("canvas", box, { className: "field", width: SIDE, height: SIDE, tabIndex: 0, role: "application",
      ariaLabel: `The plane of ${plane.name}. The arrow keys move the point.` });
    this.image = imageCanvas(box, shape, "digit", `the image that ${plane.name} decodes the point to`);
    this.text = make("p", box, { className: "small" });
    const ends = [1, 2].map((k) => this.codes.map((code) => code[k]).sort((a, b) => a - b));
    [this.x, this.y] = ends.map((values) => {
      const at = (share) => values[Math.floor((values.length - 1) * share)];
      const margin = 0.05 * (at(0.995) - at(0.005)) || 1;
      return [at(0.005) - margin, at(0.995) + margin];
    });
    this.background = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    this.drawCodes();
    this.move(ends.map((values) => values[values.length >> 1]));
    const drag = (event) => {
      const area = this.canvas.getBoundingClientRect();
      this.move(this.codeAt((event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height));
    };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); drag(event); });
    this.canvas.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.move(this.code.map((z, k) => z + step[k] * ([this.x, this.y][k][1] - [this.x, this.y][k][0]) / 50));
    });
  }

  // The code at a place in the plane, as shares of its width from the left and of its height from
  // the top.
  codeAt(across, down) {
    const between = ([low, high], share) => low + Math.min(Math.max(share, 0), 1) * (high - low);
    return [between(this.x, across), between(this.y, 1 - down)];
  }

  // The pixel of a code.
  place([z0, z1]) {
    const share = (z, [low, high]) => (z - low) / (high - low);
    return [SIDE * share(z0, this.x), SIDE * (1 - share(z1, this.y))];
  }

  // Draws a dot for each code, in the colour of its label.
  drawCodes() {
    const context = this.background.getContext("2d");
    if (!this.decoded) { context.fillStyle = "#ffffff"; context.fillRect(0, 0, SIDE, SIDE); }
    for (const [label, z0, z1] of this.codes) {
      const [x, y] = this.place([z0, z1]);
      context.fillStyle = COLOURS[label % COLOURS.length];
      context.fillRect(x - 2, y - 2, 4.5, 4.5);
    }
  }

  // Draws the images that a grid of codes decodes to, a row at a time so that the page stays
  // responsive, and then the codes on them.
  drawGrid() {
    const [, height, width] = this.shape;
    const small = Object.assign(document.createElement("canvas"), { width, height });
    const context = this.background.getContext("2d");
    const side = SIDE / GRID;
    const row = (r) => {
      if (r === GRID) {
        // The images are pale, so that the codes are seen on them.
        context.fillStyle = "rgba(255, 255, 255, 0.7)";
        context.fillRect(0, 0, SIDE, SIDE);
        this.decoded = true;
        this.drawCodes();
        this.move(this.code);
        return;
      }
      for (let c = 0; c < GRID; c++) {
        showImage(small, forward(this.decoder, this.codeAt((c + 0.5) / GRID, (r + 0.5) / GRID)));
        context.drawImage(small, c * side, r * side, side, side);
      }
      setTimeout(row, 0, r + 1);
    };
    row(0);
  }

  // Moves the point to `code`.
  move(code) {
    this.code = Array.from(code);
    const context = this.canvas.getContext("2d");
    context.drawImage(this.background, 0, 0);
    const [x, y] = this.place(this.code);
    for (const [lineWidth, strokeStyle] of [[10, "#ffffff"], [5, "#000000"]]) {
      context.beginPath();
      context.arc(x, y, 16, 0, 7);
      Object.assign(context, { lineWidth, strokeStyle });
      context.stroke();
    }
    showImage(this.image, forward(this.decoder, this.code));
    this.text.textContent = `code ${this.code.map((z) => z.toFixed(2)).join(", ")}`;
  }
}
