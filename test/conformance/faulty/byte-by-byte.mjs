import { serve } from "./serve.mjs";

// Keeps every rule: the split of bytes has no meaning (PROTOCOL 2.4).
serve({
	write(bytes, wire) {
		for (const byte of bytes) wire.write(Buffer.of(byte));
	},
});
