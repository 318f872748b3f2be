// Sends files to the kernel in pieces. A few pieces are under way at a time; each taken piece asks for the next one, so
// that neither the browser nor the kernel ever holds a whole file.
const PIECE = 1 << 20;

function render({ model, el }) {
  const sending = new Map();

  const zone = document.createElement('div');
  zone.className = 'dapp-upload-zone';
  zone.tabIndex = 0;
  zone.setAttribute('role', 'button');
  const label = document.createElement('span');
  label.textContent = 'Drop files here, or click to choose';
  const hint = document.createElement('small');
  hint.textContent = model.get('hint');
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = model.get('accept');
  zone.append(label, hint, input);

  const list = document.createElement('div');
  list.className = 'dapp-upload-list';
  list.setAttribute('aria-live', 'polite');
  el.classList.add('dapp-upload');
  el.append(zone, list);

  function begin(files) {
    for (const file of files) {
      const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
      sending.set(id, { file, at: 0 });
      model.send({ kind: 'begin', id, name: file.name, size: file.size });
    }
  }

  async function more(id) {
    const entry = sending.get(id);
    if (!entry || entry.at >= entry.file.size) {
      return;
    }
    const at = entry.at;
    entry.at = Math.min(at + PIECE, entry.file.size);
    try {
      const bytes = await entry.file.slice(at, entry.at).arrayBuffer();
      model.send({ kind: 'piece', id, at }, undefined, [bytes]);
    } catch {
      sending.delete(id);
      model.send({ kind: 'unreadable', id });
    }
  }

  function show() {
    list.replaceChildren(
      ...model.get('files').map(file => {
        const row = document.createElement('div');
        row.className = `dapp-upload-row dapp-mod-${file.state}`;
        const name = document.createElement('span');
        name.className = 'dapp-upload-name';
        name.textContent = file.name;
        const text = document.createElement('span');
        text.className = 'dapp-upload-text';
        text.textContent = file.text;
        row.append(name, text);
        if (file.state === 'sending' || file.state === 'processing') {
          const bar = document.createElement('progress');
          bar.max = 1;
          if (file.fraction !== null) {
            bar.value = file.fraction;
          }
          bar.setAttribute('aria-label', file.name);
          row.append(bar);
        }
        return row;
      })
    );
  }

  function hear(message) {
    if (message.kind === 'more') {
      for (let count = 0; count < message.count; count++) {
        void more(message.id);
      }
    } else if (message.kind === 'end') {
      sending.delete(message.id);
    }
  }

  zone.addEventListener('click', () => input.click());
  zone.addEventListener('keydown', event => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      input.click();
    }
  });
  input.addEventListener('click', event => event.stopPropagation());
  input.addEventListener('change', () => {
    begin(input.files);
    input.value = '';
  });
  for (const kind of ['dragenter', 'dragover']) {
    zone.addEventListener(kind, event => {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.add('dapp-mod-over');
    });
  }
  for (const kind of ['dragleave', 'drop']) {
    zone.addEventListener(kind, event => {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.remove('dapp-mod-over');
    });
  }
  zone.addEventListener('drop', event => begin(event.dataTransfer.files));

  model.on('change:files', show);
  model.on('msg:custom', hear);
  show();
  return () => {
    model.off('change:files', show);
    model.off('msg:custom', hear);
  };
}

export default { render };
