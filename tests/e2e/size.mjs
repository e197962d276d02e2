// The size of a first visit: everything that it loads before the page can be used, compressed
// with brotli; and of the second module, which follows when the page is idle.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const BUDGET = 350 * 1024;
// may only be lowered
const REST = 665 * 1024;
const FIRST_LOAD = ['index.html', 'js/podium.js', 'podium.js', 'podium_bg.wasm'];

const dist = process.argv[2] ?? 'dist';
const weigh = (name) => {
  const file = join(dist, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: run scripts/test build first`);
  const raw = readFileSync(file);
  const packed = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } }).length;
  console.log(`${name}: ${raw.length} bytes, ${packed} with brotli`);
  return packed;
};
const first = FIRST_LOAD.reduce((sum, name) => sum + weigh(name), 0);
const rest = weigh('podium_rest.wasm');
console.log(`first load: ${first} bytes with brotli, at most ${BUDGET}; when idle: ${rest}, at most ${REST}`);
if (first > BUDGET || rest > REST) {
  console.error('heavier than it may be: make it smaller, or let fewer functions stay in the first module (scripts/profile)');
  process.exit(1);
}
console.log('1 passed, 0 failed');
