<?php

// Prints one line for each package in KUBELESS_INSTALL_VOLUME/vendor: vendor, name, version, purl,
// licence and hash, separated by tabs.

$file = getenv('KUBELESS_INSTALL_VOLUME') . '/vendor/composer/installed.json';
if (!is_file($file)) {
    exit(0);
}
$installed = json_decode((string) file_get_contents($file), true);
foreach ($installed['packages'] ?? $installed as $package) { // Composer 1 has no "packages"
    [$vendor, $name] = array_pad(explode('/', $package['name'], 2), -2, '');
    $version = preg_replace('/^v(?=\d)/', '', $package['version']);
    $purl = "pkg:composer/$vendor/$name@" . rawurlencode($version);
    $sum = $package['dist']['shasum'] ?? '';
    $line = [$vendor, $name, $version, $purl, implode(' OR ', (array) ($package['license'] ?? [])), $sum === '' ? '' : "SHA-1:$sum"];
    echo implode("\t", $line), "\n";
}
