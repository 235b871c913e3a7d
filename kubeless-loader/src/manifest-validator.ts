// In a bundle, build.mjs replaces this file by the code that ajv generates from the same schema
// with the same options.
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../runtimes/runtime.schema.json" with { type: "json" };

export const validate = new Ajv2020({ verbose: true, useDefaults: true }).compile(schema);
