package io.kubeless.worker;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** Loads the function's classes: its own, from a folder or a jar, and what they depend on. */
final class FunctionLoader extends URLClassLoader {
	static {
		registerAsParallelCapable();
	}

	private final File own;
	private final JarFile jar;

	/** @param own where the function's own classes are: a folder or a jar */
	FunctionLoader(File own, List<String> path) throws IOException {
		super(urls(own, path), FunctionLoader.class.getClassLoader());
		this.own = own;
		this.jar = own.isDirectory() ? null : new JarFile(own);
	}

	private static URL[] urls(File own, List<String> path) throws MalformedURLException {
		List<URL> urls = new ArrayList<>();
		urls.add(own.toURI().toURL());
		for (String entry : path) urls.add(new File(entry).toURI().toURL());
		return urls.toArray(new URL[0]);
	}

	@Override
	protected Class<?> findClass(String name) throws ClassNotFoundException {
		String path = name.replace('.', '/') + ".class";
		try {
			byte[] file = read(path);
			byte[] changed = file == null ? null : Exits.replaced(file);
			if (changed == null) return super.findClass(name);
			int dot = name.lastIndexOf('.');
			if (dot > 0 && getPackage(name.substring(0, dot)) == null) definePackage(name.substring(0, dot));
			return defineClass(name, changed, 0, changed.length, new CodeSource(own.toURI().toURL(), (Certificate[]) null));
		} catch (IOException error) {
			throw new ClassNotFoundException(name, error);
		}
	}

	private void definePackage(String name) {
		try {
			definePackage(name, null, null, null, null, null, null, null);
		} catch (IllegalArgumentException known) {
			// Another thread was faster.
		}
	}

	private byte[] read(String path) throws IOException {
		if (jar == null) {
			Path file = own.toPath().resolve(path);
			return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
		}
		ZipEntry entry = jar.getEntry(path);
		if (entry == null) return null;
		try (InputStream in = jar.getInputStream(entry)) {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream();
			byte[] buffer = new byte[8192];
			for (int count; (count = in.read(buffer)) > 0; ) bytes.write(buffer, 0, count);
			return bytes.toByteArray();
		}
	}

	/** The names of the function's own classes, but those within others. */
	List<String> ownClasses() throws IOException {
		try (Stream<String> paths = ownFiles()) {
			return paths.filter(path -> path.endsWith(".class") && path.indexOf('$') < 0 && path.indexOf('-') < 0)
					.map(path -> path.substring(0, path.length() - ".class".length()).replace('/', '.'))
					.sorted()
					.collect(Collectors.toList());
		}
	}

	@SuppressWarnings("resource") // both are closed with the stream, or live as long as the process
	private Stream<String> ownFiles() throws IOException {
		if (jar != null) return jar.stream().map(ZipEntry::getName);
		Path root = own.toPath();
		return Files.walk(root).filter(Files::isRegularFile).map(file -> root.relativize(file).toString().replace(File.separatorChar, '/'));
	}
}
