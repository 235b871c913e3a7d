interface Order {
	item: string;
	count: number;
}

enum Size {
	Small = "small",
	Large = "large",
}

interface Event<Data> {
	data: Data;
}

// curl --data '{"item":"tea","count":12}' --header 'Content-Type: application/json' localhost:8080
export function handler({ data }: Event<Partial<Order>>): { item: string; size: Size } {
	const { item = "nothing", count = 0 } = data;
	return { item, size: count > 10 ? Size.Large : Size.Small };
}
