// `npm run conformance`: see test/conformance/main.ts.

import { main } from "../test/conformance/main.ts";

process.exitCode = await main(process.argv.slice(2));
