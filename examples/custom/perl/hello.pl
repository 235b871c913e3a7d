use strict;
use warnings;

sub hello {
	my ($event, $context) = @_;
	my $name = $event->{data} || 'world';
	return "hello $name";
}

1;
