import { testEnds } from "../../../test/versions/ends.ts";

testEnds("go", { wanted: "1.21.0 1.27.0" });
