// The forward passes of the explorer's networks, in plain loops. An image is an array of numbers
// in [0, 1] in the order channels, rows, columns.
// The numbers of a tensor: 32-bit floats, or 16-bit multiples of `scale`, compressed: first all
// low bytes, then all high bytes.
async function decodeNumbers({ scale, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  if (scale === null) {
    const view = new DataView(bytes.buffer);
    return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const all = new Uint8Array(await new Response(stream).arrayBuffer());
  const numbers = new Float32Array(all.length / 2);
  for (let i = 0; i < numbers.length; i++)
    numbers[i] = scale * (((all[numbers.length + i] << 24) >> 16) | all[i]);
  return numbers;
}

// Decodes the weights of `layers`.
async function prepare(layers) {
  for (const layer of layers) {
    layer.w = await decodeNumbers(layer.weight);
    layer.b = await decodeNumbers(layer.bias);
    delete layer.weight;
    delete layer.bias;
  }
  return layers;
}

// The input of a network from pixels [channels, height, width] in [0, 1]. With a scale, each channel
// has its mean and its standard deviation.
function scaled(scale, pixels) {
  if (!scale) return pixels;
  const area = pixels.length / scale.length;
  return pixels.map((v, i) => (v - scale[Math.floor(i / area)].mean) / scale[Math.floor(i / area)].deviation);
}

// A fully connected layer: `x` is [inputs], the result [outputs].
function dense({ inputs, outputs, activation, w, b }, x) {
  const sums = Float64Array.from(b);
  for (let i = 0; i < inputs; i++) {
    if (x[i] === 0) continue;
    for (let o = 0; o < outputs; o++) sums[o] += x[i] * w[i * outputs + o];
  }
  if (activation === "relu") return sums.map((v) => Math.max(v, 0));
  if (activation === "sigmoid") return sums.map((v) => 1 / (1 + Math.exp(-v)));
  return sums;
}

// A convolution with ReLU, and a max-pool of 2x2 if `pool`: `x` is [from, height, width].
function convolve({ from, height, width, to, kernel, pool, w, b }, x) {
  const [high, wide] = [height - kernel + 1, width - kernel + 1];
  const sums = new Float64Array(to * high * wide);
  for (let o = 0; o < to; o++) {
    sums.fill(b[o], o * high * wide, (o + 1) * high * wide);
    for (let c = 0; c < from; c++)
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++) {
          const weight = w[((o * from + c) * kernel + i) * kernel + j];
          for (let r = 0; r < high; r++)
            for (let s = 0; s < wide; s++)
              sums[(o * high + r) * wide + s] += weight * x[(c * height + r + i) * width + s + j];
        }
  }
  if (!pool) return sums.map((v) => Math.max(v, 0));
  const [low, narrow] = [high >> 1, wide >> 1];
  const pooled = new Float64Array(to * low * narrow); // zeros, since no number is below 0 after ReLU
  for (let o = 0; o < to; o++)
    for (let r = 0; r < 2 * low; r++)
      for (let s = 0; s < 2 * narrow; s++) {
        const at = (o * low + (r >> 1)) * narrow + (s >> 1);
        pooled[at] = Math.max(pooled[at], sums[(o * high + r) * wide + s]);
      }
  return pooled;
}

// The output of a network for the input `x`.
function forward(layers, x) {
  return layers.reduce((x, layer) => (layer.kind === "conv" ? convolve(layer, x) : dense(layer, x)), x);
}

// Probabilities of the logits.
function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
