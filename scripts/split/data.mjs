// Which bytes of a module's data the functions that stay can reach. Read from the linker's own notes
// (wasm-ld --emit-relocs): every place in code or data that holds an address, and the symbol it
// is an address of. https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md
import { readFileSync } from 'node:fs';

// Relocations that hold an address of data, and those that have an addend.
const ADDRESS = new Set([3, 4, 5, 11, 14, 15, 16, 17, 21, 23, 25]);
const ADDEND = new Set([...ADDRESS, 8, 9, 22]);
const UNDEFINED = 0x10;
const EXPLICIT_NAME = 0x40;

class Reader {
  constructor(bytes, at = 0, end = bytes.length) { Object.assign(this, { bytes, at, end }); }
  byte() { return this.bytes[this.at++]; }
  // LEB128, read without a sign: only offsets and counts are looked at
  leb() {
    let [n, scale, b] = [0, 1, 0];
    do { b = this.byte(); n += (b & 127) * scale; scale *= 128; } while (b & 128);
    return n;
  }
  text() { const n = this.leb(); this.at += n; return this.bytes.toString('utf8', this.at - n, this.at); }
  skip(n) { this.at += n; return this; }
  part(n) { this.at += n; return new Reader(this.bytes, this.at - n, this.at); }
  get more() { return this.at < this.end; }
}

// A module's sections: where each begins, its contents, and the name of a custom one.
function sectionsOf(bytes) {
  const r = new Reader(bytes, 8);
  const sections = [];
  while (r.more) {
    const head = r.at;
    const id = r.byte();
    const body = r.part(r.leb());
    sections.push({ id, head, body, start: body.at, name: id === 0 ? body.text() : '' });
  }
  return sections;
}

// A module without notes: wasm-bindgen passes them on as they were, and they are no longer true.
export function withoutNotes(bytes) {
  const stale = (s) => s.name === 'linking' || s.name.startsWith('reloc.');
  return Buffer.concat([bytes.subarray(0, 8), ...sectionsOf(bytes).filter((s) => !stale(s)).map((s) => bytes.subarray(s.head, s.body.end))]);
}

// The linked module's notes, or null if it has none.
function notes(file) {
  const sections = sectionsOf(readFileSync(file));
  const standard = (id) => sections.find((s) => s.id === id);
  const custom = (name) => sections.find((s) => s.name === name);
  const linking = custom('linking');
  if (!linking || !custom('name')) return null;
  return { sections, standard, custom, linking };
}

function importedFunctions(body) {
  let count = 0;
  for (let n = body.leb(); n > 0; n--) {
    body.text();
    body.text();
    const kind = body.byte();
    if (kind === 0) { body.leb(); count++; } else if (kind === 3) body.skip(2);
    else { if (kind === 1) body.byte(); const limits = body.byte(); body.leb(); if (limits & 1) body.leb(); }
  }
  return count;
}

// Functions with the range of their code in the section.
function functions({ standard, custom }) {
  const code = standard(10);
  const first = importedFunctions(standard(2).body);
  const list = [];
  for (let i = 0, n = code.body.leb(); i < n; i++) {
    const body = code.body.part(code.body.leb());
    list.push({ from: body.at - code.start, to: body.end - code.start, name: '' });
  }
  const names = custom('name').body;
  while (names.more) {
    const kind = names.byte();
    const part = names.part(names.leb());
    if (kind !== 1) continue;
    for (let n = part.leb(); n > 0; n--) {
      const index = part.leb() - first;
      const name = part.text();
      if (list[index]) list[index].name = name;
    }
  }
  return list;
}

// Segments: the address, and where the bytes are in the section.
function segments({ standard }) {
  const { body, start } = standard(11);
  return Array.from({ length: body.leb() }, () => {
    if (body.leb() !== 0 || body.byte() !== 0x41) throw new Error('split: a data segment without a plain address');
    const address = body.leb();
    body.byte();
    const part = body.part(body.leb());
    return { address, from: part.at - start, to: part.end - start, bytes: body.bytes.subarray(part.at, part.end) };
  });
}

// Symbols by index; those of data have a range of addresses.
function symbols({ linking }, parts) {
  const { body } = linking;
  body.leb();
  while (body.more) {
    const kind = body.byte();
    const part = body.part(body.leb());
    if (kind !== 8) continue;
    return Array.from({ length: part.leb() }, () => {
      const [what, flags] = [part.byte(), part.leb()];
      if (what === 3) part.leb();
      else if (what === 1) {
        part.text();
        if (flags & UNDEFINED) return null;
        const [segment, offset, size] = [part.leb(), part.leb(), part.leb()];
        return { at: parts[segment].address + offset, size };
      } else {
        part.leb();
        if (!(flags & UNDEFINED) || flags & EXPLICIT_NAME) part.text();
      }
      return null;
    });
  }
  throw new Error('split: the linker wrote no symbols');
}

// Relocations of a section that are addresses of data, by their place in it.
function relocations({ sections, standard, custom }, id, name) {
  const found = custom(`reloc.${name}`);
  if (!found) return [];
  const { body } = found;
  if (sections[body.leb()] !== standard(id)) throw new Error(`split: reloc.${name} is of another section`);
  const list = [];
  for (let n = body.leb(); n > 0; n--) {
    const [kind, at, symbol] = [body.byte(), body.leb(), body.leb()];
    if (ADDEND.has(kind)) body.leb();
    if (ADDRESS.has(kind)) list.push({ at, symbol });
  }
  return list.sort((a, b) => a.at - b.at);
}

// The index of the first relocation at or after a place.
function after(list, at) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (list[mid].at < at) low = mid + 1; else high = mid;
  }
  return low;
}

const within = (list, from, to) => list.slice(after(list, from), after(list, to)).map((x) => x.symbol);

// What can be reached of the data of the linked module FILE: given the names of the functions that
// stay, the ranges [from, to) of addresses, those that they name and those that these name in turn;
// which names the module has; and its segments as [address, bytes]. Null if it has no notes.
export function reach(file, kept) {
  const n = notes(file);
  if (!n) return null;
  const parts = segments(n);
  const table = symbols(n, parts);
  const [code, data] = [relocations(n, 10, 'CODE'), relocations(n, 11, 'DATA')];
  const all = functions(n);
  const open = all.filter((f) => kept.has(f.name)).flatMap((f) => within(code, f.from, f.to));
  const seen = new Set();
  const ranges = [];
  while (open.length) {
    const index = open.pop();
    if (seen.has(index)) continue;
    seen.add(index);
    const symbol = table[index];
    if (!symbol) continue;
    ranges.push([symbol.at, symbol.at + symbol.size]);
    const segment = parts.find((p) => symbol.at >= p.address && symbol.at < p.address + p.to - p.from);
    if (segment) open.push(...within(data, segment.from + symbol.at - segment.address, segment.from + symbol.at + symbol.size - segment.address));
  }
  return { ranges, names: new Set(all.map((f) => f.name)), segments: parts.map((p) => [p.address, p.bytes]) };
}
