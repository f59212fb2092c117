// node generate.mjs PACKAGES DOCUMENT FOLDER: what AsyncAPI's own parser says of a document, and the classes for Python
// that AsyncAPI's generator of models makes of it. Run by test_generators.py.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [, , packages, path, folder] = process.argv;
const load = createRequire(join(packages, "package.json"));
const { Parser } = load("@asyncapi/parser");
const { PythonGenerator } = load("@asyncapi/modelina");

const text = readFileSync(path, "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const models = document ? await new PythonGenerator().generate(text) : [];
for (const model of models) {
  writeFileSync(join(folder, `${model.modelName}.py`), model.result);
}
console.log(
  JSON.stringify({
    diagnostics: diagnostics.map(({ code, severity, message }) => ({ code, severity, message })),
    operations: document ? document.operations().all().length : 0,
    models: models.map((model) => model.modelName),
  }),
);
