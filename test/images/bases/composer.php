<?php
// Makes composer.phar, as in Docker's Composer image, from Debian's package in /usr/share/php.

$made = new Phar('/made/composer.phar');
$made->buildFromDirectory('/composer');
$made->setStub(<<<'STUB'
#!/usr/bin/env php
<?php
Phar::mapPhar('composer.phar');
require 'phar://composer.phar/bin/composer';
__HALT_COMPILER();
STUB);
