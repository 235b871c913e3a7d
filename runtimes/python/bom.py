"""Prints the packages that pip has installed into the prefix KUBELESS_INSTALL_VOLUME.

One package per line, with tabs between its fields: an empty group, name, version, purl, licence.
"""

import email.parser
import glob
import io
import os
import re

MAX_LICENCE_CHARACTERS = 80  # longer is the text of the licence, not its name


def licence(metadata):
    for field in ('License-Expression', 'License'):
        stated = (metadata.get(field) or '').strip()
        if stated and stated != 'UNKNOWN' and len(stated) < MAX_LICENCE_CHARACTERS and '\n' not in stated:
            return stated
    named = [line.split(' :: ')[-1] for line in metadata.get_all('Classifier') or [] if line.startswith('License :: ')]
    return ' AND '.join(named)


def metadata_files():
    # local/lib/python3.N/dist-packages is the layout of Debian's Python.
    for place in ('lib/python*/site-packages', 'lib64/python*/site-packages', 'local/lib/python*/dist-packages'):
        for file in glob.glob(os.path.join(place, '*.dist-info', 'METADATA')):
            yield os.path.realpath(file)  # lib64 may be a link to lib


def main():
    os.chdir(os.environ['KUBELESS_INSTALL_VOLUME'])
    for file in sorted(set(metadata_files())):
        with io.open(file, encoding='utf-8', errors='replace') as text:
            metadata = email.parser.Parser().parse(text, headersonly=True)
        name, version = metadata['Name'], metadata['Version']
        purl = 'pkg:pypi/%s@%s' % (re.sub('[-_.]+', '-', name).lower(), version.replace('+', '%2B'))
        print('\t'.join(('', name, version, purl, licence(metadata))))


main()
