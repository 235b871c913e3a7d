import { testEnds } from "../../../test/versions/ends.ts";

testEnds("java");
