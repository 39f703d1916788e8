# LibreLane's variables of the process. libs.tech/empty holds empty files for tools that synthesis does not start.
set pdk "$::env(PDK_ROOT)/$::env(PDK)"
set empty "$pdk/libs.tech/empty"
if { ![info exist ::env(STD_CELL_LIBRARY)] } { set ::env(STD_CELL_LIBRARY) sky130_fd_sc_hd }
set cells "$pdk/libs.ref/$::env(STD_CELL_LIBRARY)"
set here "$pdk/libs.tech/librelane/$::env(STD_CELL_LIBRARY)"

set ::env(VDD_PIN) VPWR
set ::env(GND_PIN) VGND
set ::env(TECH_LEFS) [dict create "nom_*" "$cells/techlef/sky130_fd_sc_hd__nom.tlef"]
set ::env(CELL_LEFS) [glob "$cells/lef/*.lef"]
set ::env(CELL_GDS) [glob "$cells/gds/*.gds"]
set ::env(CELL_CDLS) [glob "$cells/cdl/*.cdl"]
set ::env(LIB) [dict create \
	"*_tt_025C_1v80" "$cells/lib/sky130_fd_sc_hd__tt_025C_1v80.lib" \
	"*_ss_n40C_1v40" "$cells/lib/sky130_fd_sc_hd__ss_n40C_1v40.lib" \
	"*_ff_100C_1v95" "$cells/lib/sky130_fd_sc_hd__ff_100C_1v95.lib"]
set ::env(DEFAULT_CORNER) nom_tt_025C_1v80
set ::env(STA_CORNERS) "nom_tt_025C_1v80 nom_ss_n40C_1v40 nom_ff_100C_1v95"
set ::env(TIMING_VIOLATION_CORNERS) "*tt*"

set ::env(PRIMARY_GDSII_STREAMOUT_TOOL) klayout
set ::env(RCX_RULESETS) [dict create "nom_*" "$empty/rcx.rules"]
set ::env(MAGICRC) "$empty/magicrc"
set ::env(MAGIC_TECH) "$empty/magic.tech"
set ::env(MAGIC_PDK_SETUP) "$empty/magic_setup.tcl"
set ::env(NETGEN_SETUP) "$empty/netgen_setup.tcl"
set ::env(KLAYOUT_TECH) "$empty/klayout.lyt"
set ::env(KLAYOUT_PROPERTIES) "$empty/klayout.lyp"
set ::env(KLAYOUT_DEF_LAYER_MAP) "$empty/klayout.map"
set ::env(FP_TRACKS_INFO) "$here/tracks.info"
set ::env(SYNTH_EXCLUDED_CELL_FILE) "$here/synth_excluded.cells"
set ::env(PNR_EXCLUDED_CELL_FILE) "$here/pnr_excluded.cells"

# What the variables' checks want to see; the layout's own values come with the PDK from ciel.
set ::env(RT_MIN_LAYER) met1
set ::env(RT_MAX_LAYER) met5
set ::env(FP_TAPCELL_DIST) 13
set ::env(PDN_RAIL_LAYER) met1
set ::env(PDN_VERTICAL_LAYER) met4
set ::env(PDN_HORIZONTAL_LAYER) met5
foreach {name value} {
	RAIL_OFFSET 0 RAIL_WIDTH 0.48 VWIDTH 1.6 HWIDTH 1.6 VSPACING 1.7 HSPACING 1.7
	VOFFSET 16.32 VPITCH 153.6 HOFFSET 16.65 HPITCH 153.18
	CORE_RING_VWIDTH 1.6 CORE_RING_HWIDTH 1.6 CORE_RING_VSPACING 1.7 CORE_RING_HSPACING 1.7
	CORE_RING_VOFFSET 6 CORE_RING_HOFFSET 6
} { set ::env(PDN_$name) $value }
set ::env(IO_PIN_H_LAYER) met3
set ::env(IO_PIN_V_LAYER) met2
set ::env(GRT_LAYER_ADJUSTMENTS) "0.99,0,0,0,0,0"
set ::env(HEURISTIC_ANTENNA_THRESHOLD) 90

set ::env(MAX_FANOUT_CONSTRAINT) 10
set ::env(MAX_TRANSITION_CONSTRAINT) 0.75
set ::env(MAX_CAPACITANCE_CONSTRAINT) 0.2
set ::env(CLOCK_UNCERTAINTY_CONSTRAINT) 0.25
set ::env(CLOCK_TRANSITION_CONSTRAINT) 0.15
set ::env(TIME_DERATING_CONSTRAINT) 5
set ::env(IO_DELAY_CONSTRAINT) 20
