sub single { 'the only one' }

1;
