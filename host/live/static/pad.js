// The drawing pad: pen, finger or keys. What is drawn is 64 x 64 bytes of ink.

export const SIDE = 64;
const PEN = 20, STEP = 8;

export class Pad {
  /** `drawn` is called after each stroke. */
  constructor(canvas, drawn) {
    this.canvas = canvas;
    this.drawn = drawn;
    this.context = canvas.getContext("2d", {willReadFrequently: true});
    this.pen = {x: 128, y: 128, down: false};
    this.ink = document.createElement("canvas");
    this.ink.width = this.ink.height = canvas.width;
    this.paper = this.ink.getContext("2d", {willReadFrequently: true});
    this.paper.lineCap = this.paper.lineJoin = "round";
    this.paper.lineWidth = PEN;
    canvas.addEventListener("pointerdown", (event) => this.#start(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => this.#end());
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.show());
    canvas.addEventListener("blur", () => this.show());
    this.show();
  }

  clear() {
    this.paper.clearRect(0, 0, 256, 256);
    this.show();
  }

  /** Ink of each of 64 x 64 cells. */
  bytes() {
    const {data} = this.paper.getImageData(0, 0, 256, 256);
    const out = new Uint8Array(SIDE * SIDE);
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        let sum = 0;
        for (let n = 0; n < 16; n++) {
          sum += data[4 * ((4 * row + (n >> 2)) * 256 + 4 * column + (n & 3)) + 3];
        }
        out[row * SIDE + column] = sum >> 4;
      }
    }
    return out;
  }

  /** Put a drawing of 64 x 64 bytes onto the pad. */
  put(bytes) {
    const image = this.paper.createImageData(256, 256);
    for (let n = 0; n < 65536; n++) {
      image.data[4 * n + 3] = bytes[(n >> 10) * SIDE + ((n & 255) >> 2)];
    }
    this.paper.putImageData(image, 0, 0);
    this.show();
  }

  show() {
    const {context} = this;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, 256, 256);
    context.drawImage(this.ink, 0, 0);
    if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
      context.strokeStyle = this.pen.down ? "#b4560a" : "#1d5fa8";
      context.lineWidth = 3;
      context.beginPath();
      context.arc(this.pen.x, this.pen.y, PEN / 2, 0, 7);
      context.stroke();
    }
  }

  #line(x, y) {
    this.paper.beginPath();
    this.paper.moveTo(this.pen.x, this.pen.y);
    this.paper.lineTo(x, y);
    this.paper.stroke();
    Object.assign(this.pen, {x, y});
    this.show();
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [256 * (event.clientX - box.left) / box.width, 256 * (event.clientY - box.top) / box.height];
  }

  #start(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.#place(event);
    this.pen = {x, y, down: true, hand: true};
    this.#line(x, y);
  }

  #move(event) {
    if (this.pen.hand) this.#line(...this.#place(event));
  }

  #end() {
    if (!this.pen.hand) return;
    this.pen.down = this.pen.hand = false;
    this.drawn();
  }

  #key(event) {
    const moves = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
    if (event.key in moves) {
      event.preventDefault();
      const [x, y] = [this.pen.x + moves[event.key][0], this.pen.y + moves[event.key][1]]
        .map((v) => Math.min(246, Math.max(10, v)));
      if (this.pen.down) this.#line(x, y);
      else { Object.assign(this.pen, {x, y}); this.show(); }
    } else if (event.key === " ") {
      event.preventDefault();
      this.pen.down = !this.pen.down;
      if (this.pen.down) this.#line(this.pen.x, this.pen.y);
      else { this.show(); this.drawn(); }
    }
  }
}
