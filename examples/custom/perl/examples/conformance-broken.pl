# Line 17 is a syntax error, which the tests need.
use strict;
use warnings;

sub echoes {
	my ($event) = @_;
	return $event->{data};
}

sub another {
	return 'another';
}

sub third { 'third' }

sub fourth {
	return ] 4;
}

1;
