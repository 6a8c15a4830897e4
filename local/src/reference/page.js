// The API reference: openapi.json as a page. All content is inserted as text.
const api = await (await fetch("/openapi.json")).json();

// ---- The document
const at = (ref) => ref.slice(2).split("/").reduce((node, part) => node[part.replaceAll("~1", "/").replaceAll("~0", "~")], api);
const real = (node) => (node?.$ref ? real(at(node.$ref)) : node);
const json = (part) => part?.content?.["application/json"];
const all = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })));
const elsewhere = api["x-elsewhere"];
const gateways = api.components.schemas.GatewayAnswer;

// The alternatives of an answer. Most answers have only one.
const alternatives = (schema) => (real(schema)?.oneOf ?? [schema]).filter(Boolean).map(real);
const codeOf = (schema) => schema?.properties?.error?.const;

// The fields of an object, including those of nested objects and of all parts in `allOf`.
function fields(schema, prefix = "") {
  const { properties = {}, required = [], allOf = [] } = real(schema);
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const kind = real(field);
    const inner = kind.type === "object" ? kind : real(kind.items ?? {});
    const below = kind.type === "array" ? `${prefix}${name}[].` : `${prefix}${name}.`;
    const parts = alternatives(inner).flatMap((part) => (part.properties ? fields(part, below) : []));
    return [{ name: prefix + name, field: kind, required: required.includes(name) }, ...parts];
  });
  const inherited = allOf.flatMap((part) => fields(part, prefix));
  return [...new Map([...own, ...inherited].map((entry) => [entry.name, entry])).values()];
}

// Sets of fields. One field of each set is required.
const choices = (schema) => {
  const { anyOf = [], allOf = [] } = real(schema);
  const names = anyOf.flatMap((part) => part.required ?? []);
  return [...(names.length ? [names] : []), ...allOf.flatMap(choices)];
};

function limits(schema) {
  const { type, enum: words, const: constant, format, pattern, oneOf, minimum, maximum, minLength, maxLength } = schema;
  if (constant !== undefined) return [JSON.stringify(constant)];
  if (oneOf) return [oneOf.map((part) => limits(real(part))[0]).join(" or ")];
  const range = (least, most, unit) => {
    if (least === undefined && most === undefined) return undefined;
    return `${least ?? 0}${most === undefined ? " or more" : ` to ${most}`}${unit}`;
  };
  const kind = words ? words.map((word) => word ?? "null").join(", ") : [type ?? "object"].flat().join(" or ");
  return [kind, format, range(minimum, maximum, ""), range(minLength, maxLength, " characters"), pattern].filter(Boolean);
}

// ---- The page
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat(Infinity).filter((child) => child !== undefined));
  return element;
}

// Paragraphs with `code` and **bold words**.
function prose(text = "") {
  const inline = (part) => {
    if (part.startsWith("`")) return make("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? make("strong", {}, part.slice(2, -2)) : part;
  };
  return text.trim().split(/\n\s*\n/).filter(Boolean).map((paragraph) =>
    make("p", {}, paragraph.replaceAll("\n", " ").split(/(`[^`]+`|\*\*[^*]+\*\*)/).map(inline)));
}

function table(heads, rows) {
  if (!rows.length) return undefined;
  const head = make("thead", {}, make("tr", {}, heads.map((text) => make("th", { scope: "col" }, text))));
  const body = rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, cell))));
  return make("div", { class: "table" }, make("table", {}, head, make("tbody", {}, body)));
}

const fieldTable = (schema) =>
  table(["Field", "Value", "What it is"], fields(schema).map(({ name, field, required }) => [
    [make("code", {}, name), required ? "" : make("span", { class: "optional" }, " optional")],
    limits(field).map((limit, at) => (at ? [", ", make("code", {}, limit)] : limit)).flat(),
    prose(field.description),
  ]));

const examples = (part, open = false) =>
  Object.entries(part?.examples ?? {}).map(([name, example]) => {
    const text = JSON.stringify(real(example).value, null, 2);
    return make("details", open ? { open: "" } : {}, make("summary", {}, real(example).summary ?? name), make("pre", { tabindex: "0" }, text));
  });

function answer(status, response) {
  const part = json(response);
  const schemas = alternatives(part?.schema);
  const good = status < "300";
  // The errors of an alias share one shape with many codes. Those of the gateway have no code.
  const shape = schemas.some(codeOf) ? undefined : schemas.find((schema) => schema !== gateways);
  const refusals = schemas.filter((schema) => schema.properties).map((schema) =>
    [make("code", {}, codeOf(schema) ?? "none"), prose(schema.description)]);
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) =>
    [make("code", {}, name), limits(real(header).schema).join(", "), prose(real(header).description)]);
  return make("div", { class: "answer" },
    make("h4", {}, make("span", { class: "status", ...(good ? { "data-good": "" } : {}) }, status)),
    prose(response.description),
    good && part ? fieldTable(part.schema) : shape ? fieldTable(shape) : table(["Code", "What to do"], refusals),
    examples(part),
    headers.length ? make("details", {}, make("summary", {}, "Headers"), table(["Header", "Value", "What it is"], headers)) : undefined);
}

function section(operation) {
  const { operationId, summary, method, path, tags, requestBody, responses } = operation;
  const description = operation.description ?? api.tags.find(({ name }) => tags?.includes(name))?.description;
  const body = json(real(requestBody));
  const asked = body && [
    make("h3", {}, "Request"),
    choices(body.schema).map((names) => make("p", {}, "Required: ", names.flatMap((name, at) => [at ? " or " : "", make("code", {}, name)]))),
    fieldTable(body.schema),
    examples(body, true),
  ];
  return make("section", { id: operationId, "aria-labelledby": `${operationId}-title` },
    make("h2", { id: `${operationId}-title` }, summary),
    path ? make("p", { class: "route" }, make("span", { class: "method" }, method), path) : undefined,
    prose(description),
    asked,
    make("h3", {}, "Answers"),
    Object.entries(responses).map(([status, response]) => answer(status, real(response))));
}

// Every error code, with its operations and the client's next step.
function codes() {
  const found = new Map();
  for (const operation of [...all, elsewhere]) {
    for (const [status, response] of Object.entries(operation.responses)) {
      for (const schema of alternatives(json(real(response))?.schema).filter(codeOf)) {
        const entry = found.get(codeOf(schema)) ?? { status, schema, places: [] };
        entry.places.push(operation);
        found.set(codeOf(schema), entry);
      }
    }
  }
  const rows = [...found].sort(([, one], [, other]) => one.status - other.status).map(([code, { status, schema, places }]) => [
    make("code", {}, code), status, prose(schema.description),
    places.flatMap((place, at) => [at ? ", " : "", make("a", { href: `#${place.operationId}` }, place.summary)]),
  ]);
  return make("section", { id: "codes" }, make("h2", {}, "Error codes"), table(["Code", "Status", "What to do", "Where"], rows));
}

const tags = api.tags.flatMap(({ name }) => [
  make("li", { class: "tag" }, name),
  ...all.filter((operation) => operation.tags.includes(name)).map(({ operationId, summary }) =>
    make("li", {}, make("a", { href: `#${operationId}` }, summary))),
]);
const rest = [["elsewhere", elsewhere.summary], ["codes", "Error codes"]].map(([id, text]) =>
  make("li", {}, make("a", { href: `#${id}` }, text)));
document.getElementById("routes").append(...tags, make("li", { class: "tag" }, "All"), ...rest);
document.title = `${api.info.title} API reference`;
document.getElementById("reference").replaceChildren(
  make("h2", {}, `${api.info.title} ${api.info.version}`), ...prose(api.info.summary), ...prose(api.info.description),
  ...all.map(section), section(elsewhere), codes());
// The section in the URL did not exist yet when the browser looked for it.
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
