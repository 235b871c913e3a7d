import { testEnds } from "../../../test/versions/ends.ts";

// older.test.ts has Python 2.7.
testEnds("python", { elsewhere: /^2\.7\./ });
