interface Context {
	readonly "function-name": string;
}

export const typed = (_event: unknown, context: Context): string => `typed.ts by ${context["function-name"]}`;
