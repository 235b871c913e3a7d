package io.kubeless;

import java.util.NoSuchElementException;

public class refuse {
	public String refuse(Event event, Context context) {
		throw new NoSuchElementException("no such order");
	}
}
