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

class PodiumLab extends HTMLElement {
  static observedAttributes = [...ATTRIBUTES, 'src'];
  #lab = null;
  #ready = null;
  #going = 0;
  #lesson = '';
  #src = '';

  connectedCallback() {
    clearTimeout(this.#going);
    this.#ready ??= this.#start().catch((error) => this.#fail(error));
  }

  // An element that is moved is taken out and put in again at once: only one that stays out
  // is taken down.
  disconnectedCallback() {
    this.#going = setTimeout(() => {
      if (this.isConnected) return;
      this.#lab?.hide();
      this.#lab?.free();
      this.#lab = null;
      this.#ready = null;
      this.shadowRoot?.replaceChildren();
    }, 1000);
  }

  attributeChangedCallback(name, _before, value) {
    if (!this.#lab) return;
    if (name === 'src') this.#source(value);
    else if (name === 'lesson') this.#learn(this.#lab, value ?? '').catch((error) => this.#fail(error));
    else this.#lab.set(name, value ?? PodiumLab.#absent(name));
  }

  // What an attribute that is taken away means.
  static #absent(name) {
    return { autoplay: 'false', readonly: 'false', controls: 'true', speed: '1', lang: document.documentElement.lang || 'en' }[name] ?? '';
  }

  async #start() {
    // a lab that begins to play at once needs everything, and then the others need not ask alone
    everything ||= ['autoplay', 'recording', 'lesson', 'start-at'].some((name) => this.hasAttribute(name)) || (this.hasAttribute('page') && location.hash.length > 1);
    const { Lab, sheet, rest } = await load();
    if (everything) await rest();
    if (!this.isConnected) { this.#ready = null; return; }
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    const root = document.createElement('div');
    root.className = 'root';
    shadow.replaceChildren(root);
    const lab = new Lab(this, root);
    const page = this.hasAttribute('page');
    lab.set('lang', document.documentElement.lang || navigator.language || 'en');
    if (page) {
      lab.set('page', '');
      lab.set('lang', navigator.language || 'en');
      this.#hash(lab);
    }
    for (const name of ATTRIBUTES) if (this.hasAttribute(name)) lab.set(name, this.getAttribute(name));
    if (this.hasAttribute('lesson')) this.#lesson = this.getAttribute('lesson');
    const yaml = inner(this);
    if (yaml) lab.set('yaml', yaml);
    const src = this.getAttribute('src') ?? this.#src;
    if (src) lab.set('yaml', await this.#fetch(src));
    if (this.#lesson && !Lab.isStory(this.#lesson)) await this.#learn(lab, this.#lesson).catch((error) => this.#fail(error));
    this.#lab = lab;
    lab.show();
    if (page) addEventListener('hashchange', () => this.#lab && location.hash.startsWith('#v1.') && this.#lab.set('recording', location.hash));
  }

  // In a page of its own the hash is a permalink, or holds the attributes.
  #hash(lab) {
    // inside a frame, the same messages as the element's events go to the page around it
    if (parent !== window) for (const name of ['ready', 'event', 'goal', 'complete', 'change', 'error']) {
      this.addEventListener(`podium-${name}`, (e) => parent.postMessage({ type: `podium-${name}`, detail: e.detail }, '*'));
    }
    const hash = location.hash.slice(1);
    if (hash.startsWith('v1.')) lab.set('recording', hash);
    else for (const [name, value] of new URLSearchParams(hash)) {
      if (name === 'src') this.#src = PodiumLab.#own(value);
      else if (name === 'lesson') this.#lesson = PodiumLab.#own(value);
      if (ATTRIBUTES.includes(name)) lab.set(name, value);
    }
  }

  // Whoever writes a link must not make its readers ask another site.
  static #own(address) {
    if (new URL(address, location.href).origin !== location.origin) throw new Error(`${address}: not from this site`);
    return address;
  }

  async #fetch(src) {
    const response = await fetch(src);
    if (!response.ok) throw new Error(`${src}: ${response.status}`);
    return response.text();
  }

  // A lesson is a story of the page, a file of its own (an address), or one that ships with it.
  async #learn(lab, lesson) {
    this.#lesson = lesson;
    lab.set('lesson', lesson);
    const { Lab, rest } = await load();
    await rest();
    const file = /[./]/.test(lesson) ? lesson : new URL(`../lessons/${lesson}.yaml`, import.meta.url).href;
    lab.learn(lesson && !Lab.isStory(lesson) ? await this.#fetch(file) : '');
  }

  async #source(src) {
    try { this.#lab.load(src ? await this.#fetch(src) : inner(this)); } catch (error) { this.#fail(error); }
  }

  #fail(error) {
    const detail = String(error?.message ?? error);
    this.dispatchEvent(new CustomEvent('podium-error', { bubbles: true, composed: true, detail }));
    if (!this.#lab) {
      const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
      const note = document.createElement('p');
      note.setAttribute('role', 'alert');
      note.textContent = `Podium: ${detail}`;
      shadow.replaceChildren(note, document.createElement('slot'));
    }
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
