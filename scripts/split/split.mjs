// Divides the optimised module in two, so that a first visit loads only what it runs.
//
//   node split.mjs DIST COLD [LINKED]
//                                 divides DIST/podium_bg.wasm, by the list of functions COLD;
//                                 LINKED: what the linker wrote, if it is not the page's module
//   node split.mjs DIST --mark    makes DIST/podium_bg.wasm note which functions run (profile.mjs)
//
// The functions of the list move to podium_rest.wasm, which shares memory and tables with
// podium_bg.wasm, where all others stay (new ones too, until the list is made anew). Where a kept
// function calls a moved one stands a stub that fetches the second module if it is not there yet
// and then goes through the function table. The page fetches the second module when it is idle,
// so a stub hardly ever has to: a list that has grown old costs time, never a wrong answer. Data
// that only moved functions reach goes with them (data.mjs).
//
// Works on Binaryen's text form of the module, where functions have their names.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reach, withoutNotes } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const binaryen = join(dirname(createRequire(join(here, '../../tests/e2e/')).resolve('binaryen/package.json')), 'bin');
const FEATURES = ['reference-types', 'bulk-memory', 'multivalue', 'mutable-globals', 'sign-ext', 'nontrapping-float-to-int'].map((f) => `--enable-${f}`);
const tool = (name, ...args) => execFileSync(process.execPath, [join(binaryen, name), ...args], { maxBuffer: 1 << 28 });
// A moved function of fewer lines than this stays when a kept one calls it: a stub is no smaller.
const STUB_LINES = 6;
// Data segments this near each other are one: a segment's head is about as long.
const GAP = 8;
// What the linker wrote, before wasm-bindgen worked on it.
const LINKED = process.argv[4] ?? join(process.env.CARGO_TARGET_DIR ?? join(here, '../../target'), 'wasm32-unknown-unknown/release/podium.wasm');

const NAME = String.raw`\$"(?:[^"\\]|\\.)*"|\$[^\s()]+`;
const nameOf = (line) => line.match(NAME)[0];

// FNV-1a of a function's name as the linker demangles it, without hashes: the same from build to build.
function key(name) {
  let h = 0x811c9dc5;
  for (const c of Buffer.from(name.replace(/^\$"?|"$/g, ''))) h = Math.imul(h ^ c, 0x01000193) >>> 0;
  return h.toString(16).padStart(8, '0');
}

// The module's text as functions (name, lines) and the rest by kind.
function read(dist) {
  const wat = join(dist, 'podium.wat');
  const file = join(dist, 'podium_bg.wasm');
  writeFileSync(file, withoutNotes(readFileSync(file)));
  tool('wasm-dis', '--all-features', file, '-o', wat);
  const lines = readFileSync(wat, 'utf8').split('\n');
  rmSync(wat);
  const module = { type: [], import: [], global: [], memory: [], data: [], table: [], elem: [], export: [], start: [], funcs: [] };
  let open = null;
  for (const line of lines.slice(1, lines.lastIndexOf(')'))) {
    if (open) {
      open.lines.push(line);
      if (line === ' )') open = null;
      continue;
    }
    const kind = line.match(/^ \((\w+)/)?.[1];
    if (kind === 'func') {
      open = { name: nameOf(line), lines: [line] };
      module.funcs.push(open);
      if (line.endsWith('))') && balanced(line)) open = null;
    } else if (module[kind]) module[kind].push(line);
    else if (!line.startsWith(' ;;')) throw new Error(`split: an unexpected line of the module: ${line.slice(0, 80)}`);
  }
  return module;
}

const balanced = (line) => {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return bare.split('(').length === bare.split(')').length;
};

function write(file, lines, dist) {
  const wat = join(dist, 'out.wat');
  writeFileSync(wat, `(module\n${lines.join('\n')}\n)\n`);
  tool('wasm-as', ...FEATURES, wat, '-o', file);
  rmSync(wat);
}

// Parameters and results of a function's head, without names.
function signature(head) {
  const after = head.slice(head.indexOf(nameOf(head)) + nameOf(head).length);
  const params = [...after.matchAll(/\(param (?:\$\S+ )?([^)]*)\)/g)].flatMap((m) => m[1].trim().split(/\s+/));
  const results = [...after.matchAll(/\(result ([^)]*)\)/g)].flatMap((m) => m[1].trim().split(/\s+/));
  return { params, results, text: `${params.length ? ` (param ${params.join(' ')})` : ''}${results.length ? ` (result ${results.join(' ')})` : ''}` };
}

function mark(dist) {
  const m = read(dist);
  const out = [...m.type, ' (import "podium_mark" "mark" (func $podium_mark (param i32)))', ...m.import, ...m.global, ...m.memory, ...m.data, ...m.table, ...m.elem, ...m.export, ...m.start];
  m.funcs.forEach(({ lines }, i) => {
    const at = lines.findIndex((l, k) => k > 0 && !l.startsWith('  (local '));
    if (at < 0) out.push(...lines);
    else out.push(...lines.slice(0, at), `  (call $podium_mark (i32.const ${i}))`, ...lines.slice(at));
  });
  write(join(dist, 'podium_bg.wasm'), out, dist);
  writeFileSync(join(dist, 'functions.json'), JSON.stringify(m.funcs.map((f) => key(f.name))));
  glue(dist, '"podium_mark": { mark: (n) => { (globalThis.podiumMarks ??= new Uint8Array(65536))[n] = 1; } },', '');
}

// The bytes of a data segment's text.
function bytes(text) {
  const out = [];
  const plain = { t: 9, n: 10, r: 13, '"': 34, "'": 39, '\\': 92 };
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') out.push(...Buffer.from(text[i]));
    else if (text[i + 1] in plain) out.push(plain[text[++i]]);
    else out.push(parseInt(text.slice(i + 1, (i += 2) + 1), 16));
  }
  return Buffer.from(out);
}

// A name of the text form as the linked module has it. Binaryen numbers names that come twice: the
// data of all functions of that name then counts as reached by each.
const plain = (name) => bytes(name.replace(/^\$"?|"$/g, '')).toString();
const plainNames = (f) => [plain(f.name), plain(f.name).replace(/_\d+$/, '')];

// Functions that wasm-bindgen adds name no data; were one renamed, its data would be lost.
function noneRenamed(funcs, names, data) {
  const [from, to] = [Math.min(...data.map((d) => d[0])), Math.max(...data.map((d) => d[0] + d[1].length))];
  for (const f of funcs) {
    if (plainNames(f).some((n) => names.has(n))) continue;
    if ([...f.lines.join('\n').matchAll(/(?:\(i32\.const |offset=)(\d+)/g)].some((x) => +x[1] >= from && +x[1] < to)) throw new Error(`split: ${f.name} is not in the linked module, and names data`);
  }
}

// Runs of addresses for which `is` holds; shorter gaps are bridged if `may` holds in them.
function runs(size, is, may) {
  const list = [];
  for (let i = 0; i < size; i++) {
    if (!is(i)) continue;
    const last = list.at(-1);
    const from = i;
    while (i < size && is(i)) i++;
    let bridge = last && from - last[1] <= GAP;
    for (let k = last?.[1]; bridge && k < from; k++) bridge = may(k);
    if (bridge) last[1] = i; else list.push([from, i]);
  }
  return list;
}

// The data that kept functions can reach stays, the other moves. Without the linker's notes all stays.
function divide(data, kept) {
  const found = existsSync(LINKED) ? reach(LINKED, new Set(kept.flatMap(plainNames))) : null;
  if (!found) return { stay: data, move: [] };
  const parts = data.map((line) => {
    const [, address, text] = line.match(/^ \(data (?:\$\S+ )?\(i32\.const (\d+)\) "(.*)"\)$/) ?? (() => { throw new Error(`split: an unexpected data segment: ${line.slice(0, 80)}`); })();
    return [+address, bytes(text)];
  });
  if (found.segments.some(([at, b]) => !parts.some(([address, other]) => address <= at && b.equals(other.subarray(at - address, at - address + b.length))))) throw new Error(`split: ${LINKED} is not what this module was made from`);
  noneRenamed(kept, found.names, parts);
  const text = (at, b) => ` (data (i32.const ${at}) "${[...b].map((c) => (c >= 32 && c < 127 && c !== 34 && c !== 92 ? String.fromCharCode(c) : `\\${c.toString(16).padStart(2, '0')}`)).join('')}")`;
  const stay = [];
  const move = [];
  for (const [base, b] of parts) {
    const reached = new Uint8Array(b.length);
    for (const [from, to] of found.ranges) reached.fill(1, Math.max(0, from - base), Math.max(0, to - base));
    for (const [from, to] of runs(b.length, (i) => reached[i], () => true)) stay.push(text(base + from, b.subarray(from, to)));
    // memory is zero where nothing was written
    for (const [from, to] of runs(b.length, (i) => !reached[i] && b[i], (i) => !reached[i])) move.push(text(base + from, b.subarray(from, to)));
  }
  return { stay, move };
}

function split(dist, list) {
  const cold = new Set(readFileSync(list, 'utf8').split('\n').filter((l) => /^[0-9a-f]{8}$/.test(l)));
  const m = read(dist);
  const calls = new RegExp(String.raw`\((?:return_)?(?:call|ref\.func) (${NAME})`, 'g');
  const used = ({ lines }) => new Set([...lines.join('\n').matchAll(calls)].map((x) => x[1]));
  const byName = new Map(m.funcs.map((f) => [f.name, f]));
  const elem = m.elem.flatMap((l) => [...l.slice(l.indexOf(' func ')).matchAll(new RegExp(NAME, 'g'))].map((x) => x[0]));
  const kept = new Set(m.funcs.filter((f) => !cold.has(key(f.name))).map((f) => f.name));
  for (const l of m.start) kept.add(nameOf(l));
  const stubs = new Set();
  const want = (name) => {
    const f = byName.get(name);
    if (!f || kept.has(name)) return;
    if (f.lines.length > STUB_LINES) { stubs.add(name); return; }
    kept.add(name);
    used(f).forEach(want);
  };
  for (const name of [...kept]) used(byName.get(name)).forEach(want);
  for (const l of m.export) if (/\(func /.test(l)) want(nameOf(l.slice(l.indexOf('(func '))));
  elem.forEach(want);
  const moved = m.funcs.filter((f) => !kept.has(f.name));

  // the function table gets a place for each stub
  const table = m.table.findIndex((l) => l.includes('funcref'));
  const [, tableName, size] = m.table[table].match(/\(table (\S+) (\d+) \d+ funcref\)/);
  const slot = new Map([...stubs].map((name, i) => [name, +size + i]));
  const tables = m.table.map((l, i) => (i === table ? ` (table ${tableName} ${+size + stubs.size} ${+size + stubs.size} funcref)` : l));

  const types = new Map(m.type.map((l) => [l.replace(/^ \(type \S+ /, ''), l.match(/\(type (\S+)/)[1]]));
  const typeOf = (s) => types.get(`(func${s.text}))`) ?? (() => { throw new Error(`split: no type (func${s.text})`); })();
  const stub = (name) => {
    const head = byName.get(name).lines[0];
    const s = signature(head);
    const args = s.params.map((_, i) => `(local.get ${i})`).join(' ');
    return ` (func ${name}${s.text}\n  (call $podium_need)\n  (call_indirect ${tableName} (type ${typeOf(s)}) ${args} (i32.const ${slot.get(name)})))`;
  };
  const need = [
    ' (global $podium_rest (mut i32) (i32.const 0))',
    ' (func $podium_need\n  (if (i32.eqz (global.get $podium_rest)) (then (call $podium_load))))',
  ];

  // what the second module takes from the first
  const needs = new Set(moved.flatMap((f) => [...used(f)]));
  const imported = new Map(m.import.filter((l) => l.includes('(func ')).map((l) => [nameOf(l.slice(l.indexOf('(func '))), l]));
  const shared = [...needs].filter((n) => kept.has(n));
  const short = (i) => `f${i.toString(36)}`;
  const globals = m.global.filter((l) => moved.some((f) => f.lines.some((x) => x.includes(`global.get ${nameOf(l)})`) || x.includes(`global.set ${nameOf(l)}`))));
  const memory = nameOf(m.memory[0]);
  const data = divide(m.data, m.funcs.filter((f) => kept.has(f.name)));
  const exports = [
    ` (export "m" (memory ${memory}))`,
    ' (export "r" (global $podium_rest))',
    ...m.table.map((l, i) => ` (export "t${i}" (table ${nameOf(l)}))`),
    ...globals.map((l, i) => ` (export "g${i}" (global ${nameOf(l)}))`),
    ...shared.map((n, i) => ` (export "${short(i)}" (func ${n}))`),
  ];
  const bare = (l) => l.slice(l.indexOf(nameOf(l)) + nameOf(l).length).trim().replace(/\)$/, '').replace(/ \([\w.]+ [^()]*\)$/, '');
  const first = [
    ...m.type, ...m.import, ' (import "podium_rest" "load" (func $podium_load))', ...m.global, need[0], ...m.memory, ...data.stay, ...tables, ...m.elem,
    ...m.export, ...exports, ...m.start, need[1],
    ...m.funcs.filter((f) => kept.has(f.name)).flatMap((f) => f.lines), ...[...stubs].map(stub),
  ];
  const moving = new Set(moved.map((f) => f.name));
  const direct = elem.map((n, i) => [n, i]).filter(([n]) => moving.has(n));
  const base = +m.elem[0].match(/\(i32\.const (\d+)\)/)[1];
  const second = [
    ...m.type,
    ` (import "p" "m" (memory ${m.memory[0].trim().slice(8, -1)}))`,
    ...tables.map((l, i) => ` (import "p" "t${i}" ${l.trim()})`),
    ...globals.map((l, i) => ` (import "p" "g${i}" (global ${nameOf(l)} ${bare(l)}))`),
    ' (import "p" "r" (global $podium_rest (mut i32)))',
    ...shared.map((n, i) => ` (import "p" "${short(i)}" (func ${n}${signature(byName.get(n).lines[0]).text}))`),
    ...[...needs].filter((n) => imported.has(n)).map((n) => imported.get(n)),
    ...(stubs.size ? [` (elem $stubs (table ${tableName}) (i32.const ${size}) func ${[...stubs].join(' ')})`] : []),
    // functions that are called through pointers are put there themselves
    ...direct.map(([n, i], k) => ` (elem $e${k} (table ${tableName}) (i32.const ${base + i}) func ${n})`),
    ...data.move,
    ' (start $podium_arrived)',
    ' (func $podium_arrived (global.set $podium_rest (i32.const 1)))',
    ...moved.flatMap((f) => f.lines),
  ];
  write(join(dist, 'podium_bg.wasm'), first, dist);
  write(join(dist, 'podium_rest.wasm'), second, dist);
  glue(dist, '"podium_rest": { load: loadRest },', readFileSync(join(here, 'rest.js'), 'utf8'));
  console.log(`split: ${kept.size} functions stay, ${moved.length} move, ${stubs.size} stubs, ${shared.length} shared, ${data.move.length} texts move`);
}

// wasm-bindgen's module gets one more import and the code that fetches the rest.
function glue(dist, entry, code) {
  const file = join(dist, 'podium.js');
  const text = readFileSync(file, 'utf8');
  const at = 'return {\n        __proto__: null,\n        "./podium_bg.js": import0,';
  if (text.split(at).length !== 2) throw new Error('split: podium.js is not as wasm-bindgen 0.2.126 writes it');
  writeFileSync(file, `${text.replace(at, () => `return podiumImports = {\n        __proto__: null,\n        ${entry}\n        "./podium_bg.js": import0,`)}\nlet podiumImports;\n${code}`);
}

const [dist, list] = process.argv.slice(2);
if (list === '--mark') mark(dist);
else split(dist, list);
