<?php
// Makes the one file that Docker's Composer image has of what Debian's package spreads over /usr/share/php.

$made = new Phar('/made/composer.phar');
$made->buildFromDirectory('/composer');
$made->setStub(<<<'STUB'
#!/usr/bin/env php
<?php
Phar::mapPhar('composer.phar');
require 'phar://composer.phar/bin/composer';
__HALT_COMPILER();
STUB);
