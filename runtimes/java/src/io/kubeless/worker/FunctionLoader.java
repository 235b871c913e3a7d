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

/**
 * Loads the function's own classes, in which it replaces System.exit (Exits), and their
 * dependencies.
 */
final class FunctionLoader extends URLClassLoader {
	static {
		registerAsParallelCapable();
	}

	/** folders of the function's own classes; the handler is in the first. Empty for a jar. */
	private final List<File> folders = new ArrayList<>();
	private final JarFile jar;

	/**
	 * @param own the function's own classes: one jar, or folders
	 * @param path jars and folders of its dependencies and resources
	 */
	FunctionLoader(List<File> own, List<File> path) throws IOException {
		super(urls(own, path), FunctionLoader.class.getClassLoader());
		boolean isJar = own.get(0).isFile();
		jar = isJar ? new JarFile(own.get(0)) : null;
		if (!isJar) folders.addAll(own);
	}

	private static URL[] urls(List<File> own, List<File> path) throws MalformedURLException {
		List<URL> urls = new ArrayList<>();
		for (File entry : own) urls.add(entry.toURI().toURL());
		for (File entry : path) urls.add(entry.toURI().toURL());
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
			if (dot > 0) definePackage(name.substring(0, dot));
			CodeSource source = new CodeSource(getURLs()[0], (Certificate[]) null);
			return defineClass(name, changed, 0, changed.length, source);
		} catch (IOException error) {
			throw new ClassNotFoundException(name, error);
		}
	}

	private void definePackage(String name) {
		try {
			definePackage(name, null, null, null, null, null, null, null);
		} catch (IllegalArgumentException defined) {
			// By an earlier class, or by another thread at the same time.
		}
	}

	/** Returns a file of the function's own classes; null if there is no such file. */
	private byte[] read(String path) throws IOException {
		for (File folder : folders) {
			Path file = folder.toPath().resolve(path);
			if (Files.isRegularFile(file)) return Files.readAllBytes(file);
		}
		ZipEntry entry = jar == null ? null : jar.getEntry(path);
		if (entry == null) return null;
		try (InputStream in = jar.getInputStream(entry)) {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream();
			byte[] buffer = new byte[8192];
			for (int count; (count = in.read(buffer)) > 0; ) bytes.write(buffer, 0, count);
			return bytes.toByteArray();
		}
	}

	/** Returns the names of the function's top-level classes. */
	List<String> ownClasses() throws IOException {
		try (Stream<String> paths = jar == null ? files(folders.get(0).toPath()) : jar.stream().map(ZipEntry::getName)) {
			return paths.filter(path -> path.endsWith(".class") && path.indexOf('$') < 0 && path.indexOf('-') < 0)
					.map(path -> path.substring(0, path.length() - ".class".length()).replace('/', '.'))
					.sorted()
					.collect(Collectors.toList());
		}
	}

	@SuppressWarnings({"resource", "StreamResourceLeak"}) // the caller closes the stream
	private static Stream<String> files(Path root) throws IOException {
		return Files.walk(root).filter(Files::isRegularFile).map(file -> root.relativize(file).toString().replace(File.separatorChar, '/'));
	}
}
