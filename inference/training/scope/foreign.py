"""One short admission note in each of 28 languages, to see whether a note that is not English is refused.

Written for this test: no patient, no one's record. They all say much the same as the simulated English notes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FOREIGN_NOTES: Final[Mapping[str, str]] = {
    "ar": "طفل عمره ثلاث سنوات يعاني من الحمى والسعال منذ ثلاثة أيام. خراخر في قاعدة الرئة اليسرى، تنفس سريع.",
    "cs": "Tříleté dítě s horečkou a kašlem už tři dny. Vlevo bazálně chrůpky, zrychlené dýchání, pije málo.",
    "da": "Treårigt barn med feber og hoste i tre dage. Krepitationer over venstre lunge, hurtig vejrtrækning.",
    "de": "Dreijähriges Kind mit Fieber und Husten seit drei Tagen. Rasselgeräusche links basal, atmet schnell.",
    "el": "Παιδί τριών ετών με πυρετό και βήχα εδώ και τρεις ημέρες. Τρίζοντες στον αριστερό πνεύμονα, ταχύπνοια.",
    "es": "Niño de tres años con fiebre y tos desde hace tres días. Crepitantes en la base izquierda, respira rápido.",
    "fa": "کودک سه ساله با تب و سرفه از سه روز پیش. رال در قاعده ریه چپ، تنفس تند، کم غذا می‌خورد.",
    "fi": "Kolmevuotias lapsi, kuumetta ja yskää kolme päivää. Vasemmalla keuhkossa rahinoita, hengitys tiheää.",
    "fr": "Enfant de trois ans avec fièvre et toux depuis trois jours. Crépitants à la base gauche, respire vite.",
    "he": "ילד בן שלוש עם חום ושיעול מזה שלושה ימים. חרחורים בבסיס ריאה שמאל, נשימה מהירה, שותה מעט.",
    "hi": "तीन साल का बच्चा, तीन दिन से बुखार और खांसी है। बाएं फेफड़े में क्रेपिटेशन, सांस तेज चल रही है, कम खा रहा है।",
    "hu": "Hároméves gyermek három napja lázas és köhög. Bal oldalon szörtyzörejek hallhatók, légzése szapora.",
    "id": "Anak umur tiga tahun demam dan batuk sejak tiga hari. Ronki basah di paru kiri, napas cepat, minum sedikit.",
    "it": "Bambino di tre anni con febbre e tosse da tre giorni. Crepitii alla base sinistra, respiro rapido.",
    "ja": "三歳の男児、三日前から発熱と咳があり、左下肺野に湿性ラ音を聴取する。呼吸は速く、食欲がない。",
    "ko": "세 살 남아로 사흘 전부터 열과 기침이 있음. 왼쪽 폐 아래에서 수포음이 들리고 호흡이 빠르며 잘 먹지 않음.",
    "nl": "Kind van drie jaar met koorts en hoesten sinds drie dagen. Crepitaties links basaal, ademt snel.",
    "no": "Tre år gammelt barn med feber og hoste i tre dager. Knatrelyder over venstre lunge, puster fort.",
    "pl": "Dziecko trzyletnie z gorączką i kaszlem od trzech dni. Trzeszczenia u podstawy lewego płuca, szybki oddech.",
    "pt": "Criança de três anos com febre e tosse há três dias. Crepitações na base esquerda, respiração rápida.",
    "ro": "Copil de trei ani cu febră și tuse de trei zile. Raluri crepitante la baza stângă, respiră repede.",
    "ru": "Ребёнок трёх лет, лихорадка и кашель три дня. Влажные хрипы слева в нижних отделах, дыхание частое.",
    "sv": "Treårigt barn med feber och hosta sedan tre dagar. Rassel över vänster lunga, andas fort, dricker lite.",
    "sw": "Mtoto wa miaka mitatu ana homa na kikohozi kwa siku tatu. Anapumua haraka, mapafu ya kushoto yana sauti.",
    "th": "เด็กอายุสามปี มีไข้และไอมาสามวัน ฟังปอดซ้ายล่างมีเสียงกรอบแกรบ หายใจเร็ว กินได้น้อย",
    "tr": "Üç yaşında çocuk, üç gündür ateş ve öksürük var. Sol akciğer tabanında raller, hızlı soluyor, az içiyor.",
    "vi": "Trẻ ba tuổi sốt và ho ba ngày nay. Phổi trái có ran nổ ở đáy, thở nhanh, ăn uống kém.",
    "zh": "三岁男孩，发热咳嗽三天，左下肺可闻及湿啰音，呼吸急促，食欲差。",
}
"""Notes by ISO 639-1 code."""
