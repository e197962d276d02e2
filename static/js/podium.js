// Defines <podium-lab>. Put this in any page:
//   <script type="module" src="…/js/podium.js"></script>
//   <podium-lab autoplay><pre>…YAML…</pre></podium-lab>
// All elements of a page share one WebAssembly instance, loaded when the first one appears.
const ATTRIBUTES = ['lesson', 'views', 'speed', 'autoplay', 'controls', 'theme', 'lang', 'seed', 'start-at', 'readonly', 'recording'];

let everything = false;
let loading;
const load = () => (loading ??= import(new URL('../podium.js', import.meta.url).href).then(async (module) => {
  await module.default();
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(module.styles());
  // What a first look does not need comes when the page has nothing else to do (an optimised
  // build has two modules, a debug build one). If it does not come, calls fetch it themselves.
  const rest = async () => module.rest?.().catch(() => {});
  const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 200));
  idle(rest, { timeout: 2000 });
  return { Lab: module.Lab, sheet, rest };
}));

// The inner <pre> or <script type="application/yaml">: the first manifest, and what readers
// without JavaScript see.
const inner = (element) => {
  const source = element.querySelector('script[type="application/yaml"], pre');
  return source ? source.textContent.replace(/^\s*\n/, '') : '';
};

// Whoever writes a link must not make its readers ask another site.
const own = (address) => {
  if (new URL(address, location.href).origin !== location.origin) throw new Error(`${address}: not from this site`);
};

const fetched = async (address) => {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.text();
};

class PodiumLab extends HTMLElement {
  static observedAttributes = [...ATTRIBUTES, 'src'];
  #lab = null;
  #ready = null;
  #going = 0;
  #turn = 0;
  #page = false;
  // What the page's address asks for; attributes come first.
  #asked = {};

  connectedCallback() {
    clearTimeout(this.#going);
    this.#ready ??= this.#start().catch((error) => {
      this.shadowRoot?.replaceChildren();
      this.#fail(error);
    });
  }

  // An element that is moved is taken out and put in again at once: only one that stays out
  // is taken down.
  disconnectedCallback() {
    this.#going = setTimeout(() => {
      if (this.isConnected) return;
      this.#turn += 1;
      this.#lab?.hide();
      this.#lab?.free();
      this.#lab = null;
      this.#ready = null;
      this.shadowRoot?.replaceChildren();
    }, 1000);
  }

  attributeChangedCallback(name) {
    this.#change(name);
  }

  #value(name) {
    return this.getAttribute(name) ?? this.#asked[name];
  }

  // Another value of an attribute. Before the lab is shown there is nothing to do: it begins
  // with the values of that moment.
  async #change(name) {
    if (!this.#lab) return;
    this.shadowRoot.querySelector('.trouble')?.remove();
    try {
      if (name === 'src') await this.#source();
      else if (name === 'lesson') await this.#learn();
      else this.#lab.set(name, this.#value(name) ?? this.#absent(name));
    } catch (error) {
      this.#fail(error);
    }
  }

  // What an attribute that is not there means.
  #absent(name) {
    if (name === 'lang') return (!this.#page && document.documentElement.lang) || navigator.language || 'en';
    return { autoplay: 'false', readonly: 'false', controls: 'true', speed: '1', seed: '1', 'start-at': '0' }[name] ?? '';
  }

  async #start() {
    const turn = ++this.#turn;
    // a lab that begins to play at once needs everything, and then the others need not ask alone
    everything ||= ['autoplay', 'recording', 'lesson', 'start-at'].some((name) => this.hasAttribute(name)) || (this.hasAttribute('page') && location.hash.length > 1);
    const { Lab, sheet, rest } = await load();
    if (everything) await rest();
    if (turn !== this.#turn) return;
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    const root = document.createElement('div');
    root.className = 'root';
    shadow.replaceChildren(root);
    if (this.hasAttribute('page')) this.#become();
    // Attributes may change while the texts come. A text that does not come is told, and the lab
    // begins without it.
    const without = (error) => this.#fail(error);
    const wants = () => JSON.stringify([this.#value('src'), this.#value('lesson')]);
    let wanted, manifest, lesson;
    do {
      wanted = wants();
      [manifest, lesson] = await Promise.all([this.#manifest().catch(without), this.#exercise().catch(without)]);
      if (turn !== this.#turn) return;
    } while (wanted !== wants());
    const lab = new Lab(this, root);
    if (this.#page) lab.set('page', '');
    lab.set('lang', this.#absent('lang'));
    for (const name of ATTRIBUTES) if (this.#value(name) != null) lab.set(name, this.#value(name));
    lab.set('yaml', manifest ?? inner(this));
    this.#lab = lab;
    try { if (lesson) lab.learn(lesson); } catch (error) { this.#fail(error); }
    try { lab.show(); } catch (error) { this.#fail(error); }
  }

  // A page of its own: the hash is a permalink, or holds the attributes.
  #become() {
    if (!this.#page) {
      this.#page = true;
      addEventListener('hashchange', () => {
        const before = this.#asked;
        this.#hash();
        for (const name of Object.keys({ ...before, ...this.#asked })) if (PodiumLab.observedAttributes.includes(name)) this.#change(name);
      });
      // inside a frame, the same messages as the element's events go to the page around it
      if (parent !== window) for (const name of ['ready', 'event', 'goal', 'complete', 'change', 'error']) {
        this.addEventListener(`podium-${name}`, (e) => parent.postMessage({ type: `podium-${name}`, detail: e.detail }, '*'));
      }
    }
    this.#hash();
  }

  #hash() {
    const hash = location.hash.slice(1);
    this.#asked = hash.startsWith('v1.') ? { recording: hash } : Object.fromEntries(new URLSearchParams(hash));
    for (const name of ['src', 'lesson']) {
      try { own(this.#asked[name] ?? ''); } catch (error) { delete this.#asked[name]; this.#fail(error); }
    }
  }

  async #manifest() {
    const src = this.#value('src');
    return src ? fetched(src) : inner(this);
  }

  // A lesson is a story of the page, a file of its own (an address), or one that ships with it.
  async #exercise() {
    const lesson = this.#value('lesson');
    const { Lab, rest } = await load();
    if (!lesson || Lab.isStory(lesson)) return '';
    await rest();
    return fetched(/[./]/.test(lesson) ? lesson : new URL(`../lessons/${lesson}.yaml`, import.meta.url).href);
  }

  async #source() {
    const src = this.#value('src');
    const text = await this.#manifest();
    // a later address may have answered sooner
    if (src === this.#value('src')) this.#lab?.load(text);
  }

  async #learn() {
    const lesson = this.#value('lesson');
    this.#lab.set('lesson', lesson ?? '');
    await (await load()).rest();
    const text = await this.#exercise();
    if (lesson === this.#value('lesson')) this.#lab?.learn(text);
  }

  // Tells of trouble: with an event, and with words over the lab, or over the inner text if
  // there is no lab.
  #fail(error) {
    const detail = String(error?.message ?? error);
    this.dispatchEvent(new CustomEvent('podium-error', { bubbles: true, composed: true, detail }));
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    const note = document.createElement('p');
    note.className = 'trouble';
    note.setAttribute('role', 'alert');
    note.textContent = `Podium: ${detail}`;
    if (!shadow.querySelector('.root')) return shadow.replaceChildren(note, document.createElement('slot'));
    note.onclick = () => note.remove();
    setTimeout(note.onclick, 10000);
    shadow.append(note);
  }

  // The programming interface. Version 1 stays as it is for ever.
  api(version) {
    if (version !== 1) throw new RangeError(`podium-lab has no api(${version}), only api(1)`);
    const lab = () => {
      if (!this.#lab) throw new Error('podium-lab is not ready: wait for podium-ready');
      return this.#lab;
    };
    return {
      apply: (yaml) => lab().apply(String(yaml)),
      kubectl: (line) => lab().kubectl(String(line)),
      play: () => lab().play(),
      pause: () => lab().pause(),
      step: (n = 1) => lab().step(n),
      seek: (t) => lab().seek(String(t)),
      setSpeed: (x) => lab().setSpeed(Number(x)),
      state: () => lab().state(),
      export: () => lab().export(),
      import: (text) => lab().import(String(text)),
      permalink: () => lab().permalink(),
      on: (name, f) => {
        const listener = (e) => f(e.detail);
        this.addEventListener(`podium-${name}`, listener);
        return () => this.removeEventListener(`podium-${name}`, listener);
      },
    };
  }
}

if (!customElements.get('podium-lab')) customElements.define('podium-lab', PodiumLab);
