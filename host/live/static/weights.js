// Trits as images: a tile for each neuron, changed ones framed.

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((n) => parseInt(text.slice(n, n + 2), 16));
}

/** Grey levels from white (0) to black (`top`). */
export function paintImage(canvas, values, rows, columns, top) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  values.forEach((value, n) => image.data.set([255, 255, 255].map((v) => v - 255 * value / top).concat(255), 4 * n));
  context.putImageData(image, 0, 0);
}

export class Weights {
  constructor(target) {
    this.target = target;
    this.before = [];
  }

  /** Show all layers; with `compare` frame the tiles that differ from what was shown. */
  show({layers}, compare) {
    this.target.replaceChildren(...layers.map((layer, n) => {
      const trits = bytesOf(layer.trits);
      const made = this.#layer(layer, n, trits, compare ? this.before[n] : undefined);
      this.before[n] = trits;
      return made;
    }));
  }

  #layer(layer, n, trits, before) {
    const [rows, columns] = layer.shape ?? [1, layer.inputs];
    const across = layer.shape ? Math.min(layer.shown, Math.max(8, Math.floor(144 / (columns + 1)))) : 1;
    const scale = Math.max(1, Math.min(6, Math.floor(620 / (across * (columns + 1)))));
    const canvas = document.createElement("canvas");
    canvas.width = (across * (columns + 1) + 1) * scale;
    canvas.height = (Math.ceil(layer.shown / across) * (rows + 1) + 1) * scale;
    canvas.setAttribute("role", "img");
    const context = canvas.getContext("2d");
    const colours = ["--orange", "--zero", "--blue"].map(colour).map((c) => `rgb(${c})`);
    const frame = `rgb(${colour("--ink")})`;
    let changed = 0;
    for (let neuron = 0; neuron < layer.shown; neuron++) {
      const left = (neuron % across) * (columns + 1), top = Math.floor(neuron / across) * (rows + 1);
      let differs = false;
      for (let place = 0; place < layer.inputs; place++) {
        const trit = trits[neuron * layer.inputs + place];
        if (before && before[neuron * layer.inputs + place] !== trit) { differs = true; changed++; }
        context.fillStyle = colours[trit];
        context.fillRect((left + 1 + place % columns) * scale, (top + 1 + Math.floor(place / columns)) * scale, scale, scale);
      }
      if (differs) {
        context.strokeStyle = frame;
        context.lineWidth = 2;
        context.strokeRect(left * scale + 1, top * scale + 1, (columns + 2) * scale - 2, (rows + 2) * scale - 2);
      }
    }
    const shown = layer.shown < layer.outputs ? `, the first ${layer.shown}` : "";
    const words = `${layer.title} of ${layer.inputs} weights${shown}` +
      (before ? `; ${changed} trits changed` : "");
    canvas.setAttribute("aria-label", words);
    canvas.dataset.changed = changed;
    const box = document.createElement("div"), title = document.createElement("h3");
    box.className = "layer";
    title.textContent = words;
    box.append(title, canvas);
    return box;
  }
}
