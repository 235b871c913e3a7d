#!/usr/bin/env perl
# A program in the language that its first line names. Its arguments are the folders of the event
# and of the context, its standard input is the body.
use strict;
my ($event, $context) = @ARGV;
my %counts;
$counts{lc $_}++ for map { split /\W+/ } <STDIN>;
delete $counts{""};
open my $headers, ">", "$event/extensions/response/headers" or die;
print $headers "X-Words: ", scalar(keys %counts), "\n";
close $headers;
printf "%s %d\n", $_, $counts{$_} for sort { $counts{$b} <=> $counts{$a} || $a cmp $b } keys %counts;
