// The API's documentation: reads openapi.json from its own server and lets each call be tried with a pasted token.

const DOCUMENT = new URL('api/v1/openapi.json', new URL('.', document.URL));
const token = document.getElementById('token');

/** An element with attributes and children; texts are set as texts, never parsed. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

/** A schema with its reference followed. */
function resolve(schema, described) {
  const name = schema?.$ref?.split('/').pop();
  return name ? described.components.schemas[name] : schema ?? {};
}

/** An example of a schema: defaults and empty values, required fields first of all. */
function example(schema, described, depth = 0) {
  const shape = resolve(schema, described);
  if (shape.default !== undefined) return shape.default;
  if (shape.const !== undefined) return shape.const;
  if (shape.enum) return shape.enum[0];
  const choices = shape.anyOf ?? shape.allOf ?? shape.oneOf;
  if (choices) {
    const chosen = choices.find(choice => choice.type !== 'null') ?? {};
    return example(chosen, described, depth);
  }
  if (shape.type === 'object' && shape.properties && depth < 3) {
    const required = new Set(shape.required ?? []);
    const wanted = Object.entries(shape.properties).filter(([name]) => depth === 0 || required.has(name));
    return Object.fromEntries(wanted.map(([name, field]) => [name, example(field, described, depth + 1)]));
  }
  if (shape.type === 'array') return shape.minItems ? [example(shape.items, described, depth + 1)] : [];
  return { string: '', integer: shape.minimum ?? 0, number: 0, boolean: false, object: {} }[shape.type] ?? null;
}

/** What a schema looks like, in one line for each field. */
function outline(schema, described) {
  const shape = resolve(schema, described);
  const required = new Set(shape.required ?? []);
  const lines = Object.entries(shape.properties ?? {}).map(([name, field]) => {
    const about = field.description ? `  — ${field.description}` : '';
    return `${name}${required.has(name) ? '' : '?'}: ${kind(field, described)}${about}`;
  });
  return lines.join('\n') || kind(schema, described);
}

function kind(schema, described) {
  if (!schema) return 'bytes';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.allOf ?? schema.oneOf;
  if (choices) return choices.map(choice => kind(choice, described)).join(' | ');
  if (schema.type === 'array') return `${kind(schema.items, described)}[]`;
  return schema.type ?? 'any';
}

/** Show an answer: status, time, and the body as JSON or the name and size of a file. */
async function show(answer, started, place) {
  const took = Math.round(performance.now() - started);
  const type = answer.headers.get('Content-Type') ?? '';
  let text = '';
  if (type.includes('json')) {
    text = JSON.stringify(await answer.json(), null, 2);
  } else if (type.startsWith('text/')) {
    text = await answer.text();
  } else if (answer.status !== 204) {
    const bytes = await answer.blob();
    const name = decodeURIComponent(answer.headers.get('Content-Disposition')?.split("''")[1] ?? 'answer');
    const link = element('a', { href: URL.createObjectURL(bytes), download: name }, `Save ${name}`);
    place.replaceChildren(`${answer.status} in ${took} ms, ${bytes.size} bytes. `, link);
    return;
  }
  place.textContent = `${answer.status} in ${took} ms\n${text}`;
}

async function attempt(verb, path, form, base, place) {
  const query = new URLSearchParams();
  let address = path;
  const headers = {};
  let body;
  for (const input of form.elements) {
    if (!input.name) continue;
    const [where, name] = input.name.split(/:(.*)/s);
    if (where === 'path') address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (where === 'query' && input.value) {
      for (const value of input.dataset.list ? input.value.split('\n') : [input.value]) query.append(name, value);
    } else if (where === 'body' && input.value.trim()) {
      body = input.value;
      headers['Content-Type'] = 'application/json';
    } else if (where === 'file' && input.files[0]) {
      body = input.files[0];
      headers['Content-Type'] = 'application/octet-stream';
    }
  }
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  place.textContent = 'Waiting…';
  const started = performance.now();
  try {
    const search = query.size ? `?${query}` : '';
    const answer = await fetch(base + address + search, { method: verb.toUpperCase(), headers, body, credentials: 'omit', cache: 'no-store' });
    await show(answer, started, place);
  } catch (error) {
    place.textContent = `No answer: ${error.message}`;
  }
}

function field(name, label, about, input) {
  input.id = `field-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
  input.name = name;
  return element('div', { class: 'field' }, element('label', { for: input.id }, label), input, about ? element('small', {}, about) : null);
}

function inside(path, verb, operation, described, base) {
  const form = element('form');
  for (const parameter of operation.parameters ?? []) {
    const list = (parameter.schema.anyOf ?? [parameter.schema]).some(choice => choice.type === 'array');
    const input = element(list ? 'textarea' : 'input', parameter.required ? { required: '' } : {});
    if (list) input.dataset.list = 'true';
    if (parameter.schema.default !== undefined && parameter.schema.default !== null) input.placeholder = String(parameter.schema.default);
    const about = [parameter.description, kind(parameter.schema, described), list ? 'one on each line' : ''].filter(Boolean).join(' · ');
    form.append(field(`${parameter.in}:${parameter.name}`, parameter.name, about, input));
  }
  const content = operation.requestBody?.content ?? {};
  const shape = content['application/json']?.schema;
  if (shape) {
    const input = element('textarea', { spellcheck: 'false' });
    input.value = JSON.stringify(example(shape, described), null, 2);
    form.append(field('body:', 'Body', '', input), element('pre', {}, outline(shape, described)));
  } else if (operation.requestBody) {
    form.append(field('file:', 'Body', 'The bytes of the file.', element('input', { type: 'file' })));
  }
  const [status, answer] = Object.entries(operation.responses)[0];
  const given = answer.content?.['application/json']?.schema;
  const answered = element('pre', { 'aria-live': 'polite' }, 'Not tried yet.');
  form.append(element('button', {}, 'Try it'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    void attempt(verb, path, form, base, answered);
  });
  const parts = [element('h3', {}, `Answer ${status}`), element('pre', {}, given ? outline(given, described) : answer.description)];
  return element('div', { class: 'inside' }, operation.description ? element('p', {}, operation.description) : null, ...parts, element('h3', {}, 'Try it'), form, answered);
}

function entry(path, verb, operation, described, base) {
  const open = (operation.security ?? []).length === 0;
  const head = element(
    'summary',
    {},
    element('span', { class: `verb ${verb}` }, verb.toUpperCase()),
    element('span', { class: 'address' }, path),
    element('span', { class: 'sentence' }, operation.summary + (open ? ' · public' : ''))
  );
  const details = element('details', { id: operation.operationId }, head);
  // Built when it is opened for the first time: the page is there at once, however long the API grows.
  details.addEventListener('toggle', () => details.open && details.children.length === 1 && details.append(inside(path, verb, operation, described, base)));
  details.dataset.text = `${verb} ${path} ${operation.summary}`.toLowerCase();
  return details;
}

function build(described) {
  const base = new URL(described.servers[0].url, document.URL).href;
  const groups = new Map();
  for (const [path, verbs] of Object.entries(described.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      const tag = operation.tags[0];
      groups.set(tag, [...(groups.get(tag) ?? []), entry(path, verb, operation, described, base)]);
    }
  }
  const sections = [...groups].map(([tag, entries]) => element('section', { id: tag }, element('h2', {}, tag), ...entries));
  const links = [...groups.keys()].map(tag => element('a', { href: `#${tag}` }, tag));
  document.getElementById('about').textContent = `Version ${described.info.version}. Every address is below ${base}. A failure is {"error": {code, message, details, request_id}}.`;
  document.getElementById('contents').replaceChildren(...links);
  document.getElementById('operations').replaceChildren(...sections);
}

document.getElementById('credential').addEventListener('submit', event => event.preventDefault());
document.getElementById('find').addEventListener('input', event => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const section of document.querySelectorAll('section')) {
    const entries = [...section.querySelectorAll('details')];
    entries.forEach(details => (details.hidden = !details.dataset.text.includes(wanted)));
    section.hidden = entries.every(details => details.hidden);
  }
});

try {
  const answer = await fetch(DOCUMENT, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  build(await answer.json());
} catch (error) {
  document.getElementById('operations').textContent = `The description of the API could not be loaded: ${error.message}. Reload the page.`;
}
