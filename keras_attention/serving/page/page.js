"use strict";
// A client of the same REST API that any other client uses. Whatever comes from the user or from a model is put into the
// document as text (textContent), never as markup.

const WORD_START = "\u2581"; // SentencePiece's mark of a space before the piece
const SHOWN = 10; // answers
const HEATED = 5; // answers with a heat map
const LIGHT = [247, 251, 255], DARK = [8, 48, 107];
const byId = (id) => document.getElementById(id);
let models = [];

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function call(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const document = await response.json();
  if (!response.ok) throw new Error(document.error || response.statusText);
  return document;
}

async function predict(model, signature, inputs) {
  const path = `v1/models/${encodeURIComponent(model.name)}:predict`;
  const outputs = (await call(path, { signature_name: signature, inputs })).outputs;
  const names = model.signatures[signature].outputs;
  return names.length === 1 ? { [names[0]]: outputs } : outputs; // a single output comes without its name
}

// What a model can do follows from the names of its signatures' inputs and outputs.
function kindOf(model) {
  const { inputs = [], outputs = [] } = model.signatures.serving_default || {};
  if (inputs.includes("text") && outputs.includes("translation")) return "translation";
  if (inputs.length === 1 && inputs[0] === "question" && outputs.includes("answers")) return "index";
  if (inputs.includes("question") && inputs.includes("answer")) return "selection";
  return "unknown";
}

const FORMS = {
  translation: { label: "Sentence", button: "Translate", show: translate },
  index: { label: "Question", button: "Search", show: search },
  selection: { label: "Question", button: "Rank", show: rank },
  unknown: { label: "This page knows no form for this model; its REST API works.", button: "Predict", show: nothing },
};

async function nothing() {
  return [];
}

async function translate(model, text) {
  if (!model.signatures.alignment) {
    const { translation, score } = await predict(model, "serving_default", { text: [text] });
    return [element("p", translation[0], "translation"), scoreOf("log-probability", score[0])];
  }
  const found = await predict(model, "alignment", { text: [text] });
  const parts = [element("p", found.translation[0], "translation"), scoreOf("log-probability", found.score[0])];
  const source = real(found.source_tokens[0]), target = real(found.target_tokens[0]);
  if (target.length) parts.push(alignmentTable(found.alignment[0], source, target));
  return parts;
}

async function search(model, question) {
  const found = await predict(model, "serving_default", { question: [question] });
  const ranked = found.answers[0].map((answer, i) => ({ answer, score: found.scores[0][i] }));
  return [await answerList(model, question, ranked.slice(0, SHOWN))];
}

async function rank(model, question) {
  const answers = byId("answers").value.split("\n").map((line) => line.trim()).filter((line) => line);
  if (!answers.length) throw new Error("Type at least one answer.");
  const { similarity } = await predict(model, "serving_default", { question: answers.map(() => question), answer: answers });
  const ranked = answers.map((answer, i) => ({ answer, score: similarity[i] })).sort((a, b) => b.score - a.score);
  return [await answerList(model, question, ranked.slice(0, SHOWN))];
}

async function answerList(model, question, ranked) {
  const list = element("ol", undefined, "answers");
  const heated = model.signatures.attention ? ranked.slice(0, HEATED) : [];
  const weights = heated.length && await predict(model, "attention", {
    question: heated.map(() => question), answer: heated.map((one) => one.answer),
  });
  ranked.forEach((one, i) => {
    const item = element("li", one.answer);
    item.append(" ", scoreOf("similarity", one.score));
    if (i < heated.length) {
      for (const side of ["question", "answer"]) {
        item.append(heatMap(side, weights[`${side}_tokens`][i], weights[`${side}_weights`][i]));
      }
    }
    list.append(item);
  });
  return list;
}

function scoreOf(name, value) {
  return element("span", `${name} ${value.toFixed(3)}`, "score");
}

// Tokens without the padding, which is empty and to the right.
function real(tokens) {
  const end = tokens.indexOf("");
  return end < 0 ? tokens : tokens.slice(0, end);
}

function spelled(token) {
  return token.replaceAll(WORD_START, " ");
}

// Grey from 0 (black) to 1 (white), as in figure 3 of Bahdanau et al.
function alignmentTable(weights, source, target) {
  const table = element("table", undefined, "alignment");
  table.append(element("caption", "Where the model looked (columns) while it wrote each token (rows): white is 1, black 0."));
  const head = table.createTHead().insertRow();
  head.append(element("td"));
  for (const token of source) head.append(element("th", spelled(token).trim()));
  const body = table.createTBody();
  target.forEach((token, i) => {
    const row = body.insertRow();
    row.append(element("th", spelled(token).trim()));
    source.forEach((other, j) => {
      const cell = row.insertCell(), grey = Math.round(255 * weights[i][j]);
      cell.style.backgroundColor = `rgb(${grey}, ${grey}, ${grey})`;
      cell.title = `${spelled(token).trim()} \u2190 ${spelled(other).trim()}: ${weights[i][j].toFixed(3)}`;
    });
  });
  return table;
}

// The darker, the more weight; the scale is the side's own, from its least weight to its greatest.
function heatMap(side, tokens, weights) {
  const shown = real(tokens), line = element("p", undefined, `heat ${side}`);
  const used = weights.slice(0, shown.length);
  const least = Math.min(...used), spread = Math.max(...used) - least;
  line.append(element("span", side === "question" ? "Question" : "Answer", "score"));
  // Word tokenizers have no mark of a space, so one is put between the words.
  const marked = shown.some((token) => token.includes(WORD_START));
  shown.forEach((token, i) => {
    const share = spread > 1e-12 ? (used[i] - least) / spread : 0;
    const colour = LIGHT.map((light, k) => Math.round(light + share * (DARK[k] - light)));
    const span = element("span", spelled(token).replace(/^ /, ""));
    if (!marked || token.startsWith(WORD_START)) line.append(" "); // between the words, so uncoloured
    span.style.backgroundColor = `rgb(${colour.join(", ")})`;
    if (share > 0.55) span.style.color = "#fff";
    span.title = used[i].toFixed(4);
    line.append(span);
  });
  return line;
}

function say(text, isError) {
  byId("status").textContent = text;
  byId("status").className = isError ? "error" : "";
}

function chosen() {
  return models[byId("model").selectedIndex];
}

function showForm() {
  const model = chosen(), kind = kindOf(model), form = FORMS[kind];
  byId("text-label").textContent = form.label;
  byId("go").textContent = form.button;
  byId("go").disabled = kind === "unknown";
  byId("candidates").hidden = kind !== "selection";
  byId("answers").value = model.answers.join("\n");
  byId("result").replaceChildren();
  say("");
}

async function submit(event) {
  event.preventDefault();
  const button = byId("go"), model = chosen(), began = performance.now();
  button.disabled = true;
  say("...");
  try {
    byId("result").replaceChildren(...await FORMS[kindOf(model)].show(model, byId("text").value));
    say(`${Math.round(performance.now() - began)} ms`);
  } catch (error) {
    byId("result").replaceChildren();
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

async function start() {
  models = (await call("page/models")).models;
  for (const model of models) byId("model").append(element("option", `${model.name}, version ${model.version}`));
  byId("model").addEventListener("change", showForm);
  byId("form").addEventListener("submit", submit);
  byId("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      byId("form").requestSubmit();
    }
  });
  showForm();
}

start().catch((error) => say(error.message, true));
