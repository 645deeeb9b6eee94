// Pink noise on a canvas, the mask that follows an image: octaves of random values, each as strong as any other.

const OCTAVES = [1, 2, 4, 8, 16, 32];

export function drawNoise(canvas, side) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(side, side);
  const values = new Float32Array(side * side);
  for (const size of OCTAVES) addOctave(values, side, size);
  const most = values.reduce((high, value) => Math.max(high, Math.abs(value)), 1e-6);
  values.forEach((value, place) => {
    const grey = 127.5 + (127.5 * value) / most;
    picture.data.set([grey, grey, grey, 255], 4 * place);
  });
  context.putImageData(picture, 0, 0);
}

function addOctave(values, side, size) {
  const across = Math.ceil(side / size) + 1;
  const grid = Float32Array.from({ length: across * across }, () => Math.random() * 2 - 1);
  for (let y = 0; y < side; y++) {
    const top = Math.floor(y / size) * across;
    const down = (y % size) / size;
    for (let x = 0; x < side; x++) {
      const left = top + Math.floor(x / size);
      const right = (x % size) / size;
      const above = grid[left] * (1 - right) + grid[left + 1] * right;
      const below = grid[left + across] * (1 - right) + grid[left + across + 1] * right;
      values[y * side + x] += above * (1 - down) + below * down;
    }
  }
}
