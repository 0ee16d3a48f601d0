// The page: sends drawings and lessons to the device, shows what comes back.

import {bars, lines} from "./charts.js";
import {Pad} from "./pad.js";
import {Weights, bytesOf, paintImage} from "./weights.js";

const $ = (id) => document.getElementById(id);
let state = null, curve = [], blank = true, turn = Promise.resolve();

function say(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

async function ask(name, given = {}) {
  const answer = await fetch(`/api/${name}`, {method: "POST", body: JSON.stringify(given),
    headers: {"Content-Type": "application/json"}});
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

/** One thing after the other, as the device does them. */
function inTurn(act) {
  turn = turn.then(async () => {
    document.body.dataset.busy = "yes";
    try {
      say("");
      await act();
    } catch (error) {
      say(error.message);
    } finally {
      delete document.body.dataset.busy;
    }
  });
  return turn;
}

const text = (bytes) => btoa(String.fromCharCode(...bytes));
const drawing = () => text(pad.bytes());
const pad = new Pad($("pad"), () => { blank = false; inTurn(look); });
const weights = new Weights($("layers"));

function bar(name, left, width, value, best) {
  const item = document.createElement("li");
  item.className = best ? "bar best" : "bar";
  for (const [kind, words] of [["name", name], ["track", ""], ["value", value]]) {
    const part = document.createElement("span");
    part.className = kind;
    part.textContent = words;
    item.append(part);
  }
  const fill = document.createElement("span");
  fill.className = "fill";
  fill.style.left = `${left}%`;
  fill.style.width = `${width}%`;
  item.children[1].append(fill);
  return item;
}

function showLook(look) {
  const low = Math.min(0, ...look.scores), span = Math.max(1, ...look.scores) - low;
  $("answer").textContent = state.classes[look.predicted];
  $("scores").replaceChildren(...look.scores.map((score, n) => bar(state.classes[n],
    100 * (Math.min(0, score) - low) / span, 100 * Math.abs(score) / span, String(score), n === look.predicted)));
  const cycles = look.cycles ? `, ${look.cycles.toLocaleString("en")} cycles of forward pass` : "";
  $("took").textContent = `${state.device}: ${look.ms.toFixed(1)} ms${cycles}`;
  $("took").dataset.ms = look.ms;
  const inputs = bytesOf(look.inputs), [rows, columns] = state.shape;
  if (inputs.length === rows * columns) paintImage($("seen"), inputs, rows, columns, (1 << state.planes) - 1);
  $("hidden").replaceChildren(...look.hidden.map((layer, n) => {
    const box = document.createElement("div");
    box.className = "layer";
    const title = document.createElement("h3");
    title.textContent = `hidden layer ${n + 1}: ${layer.filter((v) => v > 0).length} of ${layer.length} neurons awake`;
    const neurons = document.createElement("div");
    neurons.className = "neurons";
    neurons.append(...layer.map((value) => {
      const made = document.createElement("span");
      made.style.height = `${100 * value / ((1 << state.activation_bits) - 1)}%`;
      return made;
    }));
    box.append(title, neurons);
    return box;
  }));
}

function showStanding({held, lessons, undos}) {
  state.undos = undos;
  curve = curve.filter(([n]) => n < lessons);
  curve.push([lessons, held.accuracy]);
  const now = held.accuracy.toFixed(1);
  $("accuracy").textContent = `${now} %`;
  lines($("lessons"), [{points: curve, kind: "one"}], 0, Math.max(10, lessons), "lessons",
    `Accuracy on ${held.rows} rows held back after ${lessons} lessons: ${now} per cent`);
  showClasses(held);
  enable();
}

function showClasses(held) {
  $("classes").replaceChildren(...held.classes.filter((c) => c.recall !== null).map((c) =>
    bar(c.name, 0, c.recall, `${c.recall.toFixed(0)} %`, false)));
}

async function look() {
  if (!blank) showLook(await ask("look", {drawing: drawing()}));
}

async function teach(label) {
  if (blank) throw new Error("draw something first");
  const found = await ask("teach", {drawing: drawing(), label, step: Number($("step").value),
    old: Number($("old").value)});
  const {updates, flips, cycles, old} = found.taught;
  const took = cycles ? ` in ${cycles.toLocaleString("en")} cycles` : "";
  $("lesson").textContent = `Lesson ${found.lessons}, ${state.classes[label]}: ` +
    `${updates ? "updated" : "nothing to update"}, ${flips} trits flipped${took}` +
    (old ? `, with ${old} old rows.` : ".");
  showLook(found.look);
  showStanding(found);
  weights.show(await ask("weights"), true);
}

async function undo() {
  const found = await ask("undo");
  $("lesson").textContent = `Undone; ${found.lessons} lessons stand.`;
  showStanding(found);
  await look();
  weights.show(await ask("weights"), true);
}

async function example() {
  const found = await ask("example");
  pad.put(bytesOf(found.drawing));
  blank = false;
  await look();
  $("lesson").textContent = `A row held back, a ${found.label}.`;
}

function enable() {
  const ready = state.phase === "ready";
  for (const button of document.querySelectorAll("#labels button, #example")) button.disabled = !ready;
  $("undo").disabled = !ready || !state.undos;
  $("train").disabled = state.phase === "training";
  $("stop").disabled = state.phase !== "training";
}

function showRun(run) {
  if (!run) return;
  const {done} = run, last = done[done.length - 1];
  $("run-name").textContent = run.name;
  const follows = state.phase === "following";
  $("progress").max = Math.max(1, follows ? run.epochs : run.rows);
  $("progress").value = follows ? done.length : done.length === run.epochs ? run.rows : run.samples;
  const points = (name) => done.map((e, n) => [n + 1, e[name]]).filter((p) => p[1] !== null);
  lines($("curve"), [{points: points("train"), kind: "two"}, {points: points("test"), kind: "one"}], 1,
    Math.max(2, run.epochs), "epochs", last ? `After ${done.length} of ${run.epochs} epochs: ` +
    `${last.train.toFixed(1)} per cent of the training samples right` : "No epoch is over");
  bars($("flips"), done.map((e) => e.flips), run.epochs, "epochs: trits flipped",
    last ? `${last.flips} trits flipped in the last epoch` : "No epoch is over");
  $("run-numbers").textContent = last ? `epoch ${done.length} of ${run.epochs}: train ` +
    `${last.train.toFixed(1)} % (orange)` + (last.test === null ? "" : `, held back ${last.test.toFixed(1)} % (blue)`) +
    `, ${last.updates.toLocaleString("en")} updates, ${last.flips.toLocaleString("en")} flips` +
    (last.cycles ? `, ${Math.round(last.cycles)} cycles a sample` : "") : "";
  if (run.classes && state.phase !== "ready") {
    $("accuracy").textContent = `${run.classes.accuracy.toFixed(1)} %`;
    showClasses(run.classes);
  }
}

function showLabels() {
  const short = state.classes.every((name) => name.length < 3);
  for (const id of ["scores", "classes"]) $(id).classList.toggle("short", short);
  $("labels").replaceChildren(...state.classes.map((name, n) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.setAttribute("aria-label", `Teach: ${name}`);
    made.addEventListener("click", () => inTurn(() => teach(n)));
    return made;
  }));
}

function heard(found) {
  const before = state;
  state = found;
  if (String(before?.classes) !== String(state.classes)) showLabels();
  const network = state.layers.length ? `, ${state.layers.join("-")}, ${state.counter_bits}-bit counters, on ` +
    state.device : "";
  $("what").textContent = `${state.dataset}${network}: ` + {training: "it is being trained", ready: "ready",
    failed: "failed", empty: "not trained", following: "a run that is followed"}[state.phase];
  document.body.dataset.phase = state.phase;
  if (state.failure) say(state.failure);
  showRun(state.run);
  enable();
  if (state.phase === "following" && state.networks !== (before?.networks ?? 0)) {
    inTurn(async () => {
      weights.show(await ask("weights"), before !== null);
      document.body.dataset.shown = "yes";
    });
  }
  if (state.phase === "ready" && before?.phase !== "ready") {
    curve = [];
    inTurn(async () => {
      showStanding(await ask("standing"));
      weights.show(await ask("weights"), false);
      await look();
      document.body.dataset.shown = "yes";
    });
  }
}

$("clear").addEventListener("click", () => { pad.clear(); blank = true; });
$("example").addEventListener("click", () => inTurn(example));
$("undo").addEventListener("click", () => inTurn(undo));
$("train").addEventListener("click", () => inTurn(() => ask("train")));
$("stop").addEventListener("click", () => inTurn(() => ask("stop")));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, input") || !state) return;
  const keys = {c: "clear", e: "example", u: "undo"};
  const label = state.classes.findIndex((name) => name.toLowerCase().startsWith(event.key.toLowerCase()));
  if (label >= 0 && state.phase === "ready") inTurn(() => teach(label));
  else if (event.key in keys && !$(keys[event.key]).disabled) $(keys[event.key]).click();
});
const line = new EventSource("/events");
line.addEventListener("message", (event) => heard(JSON.parse(event.data)));
line.addEventListener("error", () => { $("what").textContent = "the server does not answer; trying again"; });
