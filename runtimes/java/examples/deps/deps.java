package io.kubeless;

import org.apache.commons.io.FileUtils;

/** Needs pom.xml beside it. */
public class deps {
	public String deps(Event event, Context context) {
		return FileUtils.byteCountToDisplaySize(event.getBytes().length);
	}
}
