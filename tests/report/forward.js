// Runs the page's own program on words, in Node: what it reads and answers is JSON.
const fs = require("node:fs");
const vm = require("node:vm");

const [, , assets] = process.argv;
const source = ["network.js", "task.js"].map((name) => fs.readFileSync(`${assets}/${name}`, "utf8"));
const program = `${source.join("\n")}
const net = buildNetwork(data), numbers = (list) => list.map((array) => Array.from(array));
const traces = sums.map((texts) => {
  const run = traceSum(net, data.task, texts.map(parseInteger));
  const way = data.proof ? regionsOf(data.proof, run.letters) : null;
  const proof = data.proof && { ...data.proof, centres: decodeArray(data.proof.centres, "float64"),
    shapes: decodeArray(data.proof.shapes, "float64") };
  return { letters: run.letters, memories: numbers(run.memories), logits: numbers(run.logits),
    margins: run.margins, wrong: run.wrong, states: run.states, predicted: run.predicted,
    expected: run.expected, way,
    distances: proof && way.map((region, t) => distanceIn(proof, region, run.memories[t])) };
});
const pairs = [];
if (digits) {
  const tell = (a, b, wrong, least) => pairs.push([a, b, wrong, least]);
  for (const pause of runPairs(net, data.task, digits, tell)) void pause;
}
answer({ traces, pairs });`;

const { data, sums, digits } = JSON.parse(fs.readFileSync(0, "utf8"));
const answer = (value) => process.stdout.write(JSON.stringify(value));
vm.runInNewContext(program, { data, sums, digits, answer, atob, Math });
