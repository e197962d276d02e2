// The size of a first visit: everything that it loads before the page can be used, compressed
// with brotli; of the second module, which follows when the page is idle; and of what the core API
// loads first without a page.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const BUDGET = 350 * 1024;
// grows only with what it can do; the reason goes into the commit
const REST = 720 * 1024;
const CORE = 200 * 1024;
const FIRST_LOAD = ['index.html', 'js/podium.js', 'podium.js', 'podium_bg.wasm'];

const [dist, core] = process.argv.slice(2);
const weigh = (name, folder = dist) => {
  const file = join(folder, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: run scripts/test build first`);
  const raw = readFileSync(file);
  const packed = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } }).length;
  console.log(`${name}: ${raw.length} bytes, ${packed} with brotli`);
  return packed;
};
const first = FIRST_LOAD.reduce((sum, name) => sum + weigh(name), 0);
const rest = weigh('podium_rest.wasm');
console.log(`first load: ${first} bytes with brotli, at most ${BUDGET}; when idle: ${rest}, at most ${REST}`);
const alone = ['podium.js', 'podium_bg.wasm'].reduce((sum, name) => sum + weigh(name, core), 0);
console.log(`core API without a page: ${alone} bytes with brotli, at most ${CORE}`);
if (first > BUDGET || rest > REST || alone > CORE) {
  console.error('heavier than it may be: make it smaller, or let fewer functions stay in the first module (scripts/profile)');
  process.exit(1);
}
console.log('1 passed, 0 failed');
