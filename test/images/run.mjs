// npm run test:images: builds the images and tests them, with Docker. Arguments name test files to run instead of all.
import { prepare } from "../../kubeless-loader/checkout.mjs";
import { test } from "../run-tests.mjs";
import { buildImages } from "./build.mjs";

prepare();
const { env, stop, missing } = buildImages();
const asked = process.argv.slice(2);
const status = missing ? 1 : test(asked.length > 0 ? asked : ["test/images/*.test.ts"], env);
stop();
process.exit(status);
