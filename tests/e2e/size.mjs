// The size budget: everything that a first visit loads, compressed with brotli.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const BUDGET = 350 * 1024;
const dist = process.argv[2] ?? 'dist';
let total = 0;
for (const name of readdirSync(dist).sort()) {
  if (!/\.(html|js|wasm|css)$/.test(name)) continue;
  const raw = readFileSync(join(dist, name));
  const packed = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  total += packed;
  console.log(`${name}: ${raw.length} bytes, ${packed} with brotli`);
}
console.log(`first load: ${total} bytes with brotli, budget ${BUDGET}`);
if (total > BUDGET) {
  console.error('over the budget');
  process.exit(1);
}
console.log('1 passed, 0 failed');
