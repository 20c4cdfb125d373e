"""Words that are also names: a patient may be called White, and "white cell count" must stay. Knows no patient."""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
abbott able acute addison allergy ample april arch ash august back ball banks barber bark barrel barrett base bath
beach bean bear bell belle bennett bird bishop black blade bland bloom blue blunt boil bond bone boot bow bowel boyle
bravo bright broad brook brown bruise buck bull burn burns bush butcher butler cain calm camp cannon care case cash
chance chase chest child church clay clear close cloud coat coffin cold coma cook cool cooper core cotton cough court
cream crisp crohn cross cruise cure curl curtain cushing dale dark dash day days dean deep dew dial diamond dose dove
down drew dry duke dull dusk early east ebb edge ever eye fair faith fall farmer fast fell fever field finger fine
fish flack flair flint flood flow flower flu flush ford forest foot fork fortune fox frank free freeze french frost
full gale gall gamble garden gas gate german gold good gout grace grade grant grave graves gray green grey grim groin
grunt guy hack hale hall ham hand hands hard hardy hare hash haven hay head heal heart heath heel held hernia
high hill hip hodgkin holder hole holiday home hood hook hope horn hospital hot house hunt hunter ice india infant ivy
iron jack jade january jaw jay jewel job joint joy june just kawasaki keen key kind king knee knight lace lack lake
lamb land lane large lark last law laws lax lay leaf lean left leg levy light lily limb lime lip little liver loads
lock long loose lord lot love low lung mann march mark marks marsh mason masters may mayo meek mercy mild miles mill
miller mind mine mole monday moon moss mount mouth murphy nail neck new night noble noise nose north nurse oak odd old
olive orange ova page pain pale palm park parker part patience patient pearl penny pepper pike pine pink place plain
plate point pole pool poor pope port post potter pound power price pride prime prior pulse quick rain rale rales ram
rash ray read red rest rex rice rich right ring rise river road rob robin rock rome root rose round rowe rub ruby rush
rust safe sage sale salt sand savage scar seal seat sharp shaw shield shock short shot show shunt sick silver sinus
skin sleep slight small smart smith smoke snow soft son song sore south spain spark speed spell spring stable star
start steady steel still stokes stone stool storm story strain street strong summer sun sunday swan sweat sweet swell
swift tail tall tanner temple thin thorn throat thumb thyme tide tiger tongue tooth torn toward town trace trip true
tuck turner twin upright urban vein venus victor violet virus vital wade wait wake walk walker wall ward warm warren
wash water waters way weak weaver webb weeks weir well wells west wet wheat wheeler wheeze white whole wick wild will
wilson winter wise wolf wolfe wood woods worth wound wright wrist yellow young
"""
ORDINARY: Final = frozenset(_WORDS.split())
