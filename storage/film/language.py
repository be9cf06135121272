"""Names of languages: two letters (ISO 639-1) and both kinds of three (ISO 639-2/T and /B) are one language.

Containers differ in what they hold: Matroska writes `ger`, MOV writes `deu`, people type `de`.
"""

from typing import Final

# ISO 639-1 or ISO 639-2/B, and ISO 639-2/T, as the Library of Congress lists them (loc.gov/standards/iso639-2).
LISTED: Final = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bh:bih
bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan
de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra
fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her
ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kj:kua
kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin
lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob
nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli
pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag sh:hbs si:sin
sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha
ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie
vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
alb:sqi arm:hye baq:eus bur:mya chi:zho cze:ces dut:nld fre:fra geo:kat ger:deu gre:ell ice:isl mac:mkd mao:mri
may:msa per:fas rum:ron slo:slk tib:bod wel:cym
"""
KNOWN: Final = dict(pair.split(":") for pair in LISTED.split())
BIBLIOGRAPHIC: Final = {code: other for other, code in KNOWN.items() if len(other) == 3}


def language_of(text: str) -> str:
    """Three letters of ISO 639-2/T for `de`, `deu`, `ger`, `DE` or `de-AT`.

    raises  ValueError if it can be no language's code
    """
    code = text.strip().lower().replace("_", "-").partition("-")[0]
    if code in KNOWN or (len(code) == 3 and code.isascii() and code.isalpha()):
        return KNOWN.get(code, code)
    raise ValueError(f"{text!r} is no language. Give two or three letters of ISO 639, like de or deu")


def spelled(code: str, form: str) -> str:
    """The language as a container of this form wants it: MOV and Matroska by ISO 639-2/B, all others by 639-2/T.

    ffmpeg writes `ger` into MOV and silently no language at all for `deu`. What is no known code stays as it is.
    """
    try:
        known = language_of(code)
    except ValueError:
        return code
    return BIBLIOGRAPHIC.get(known, known) if form in ("mov", "matroska") else known


def same_language(one: str, other: str) -> bool:
    """Whether two codes, as containers spell them, are one known language."""
    try:
        return language_of(one) == language_of(other) != "und"
    except ValueError:
        return False
