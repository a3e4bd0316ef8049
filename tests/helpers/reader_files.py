"""Small files of every format that the readers know, written after the formats' descriptions."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: K-alpha1, K-alpha2 and their ratio, as the files that state them do.
DOUBLET = (1.540598, 1.544426, 0.5)
STEP, START, COUNT = 0.02, 10.0, 300
X = START + STEP * np.arange(COUNT)
Y = (
    np.random.default_rng(5)
    .poisson(
        40 + 900 * np.exp(-(((X - 12) / 0.05) ** 2)) + 400 * np.exp(-(((X - 14.3) / 0.06) ** 2))
    )
    .astype(float)
)
ESD = np.round(np.sqrt(Y + 1), 1)
#: Peaks: 2theta at 1.5406 A, intensity.
PEAKS = np.array([[12.0, 900], [14.3, 400], [20.06, 120], [25.5, 33], [31.2, 18], [33.0, 7]])
PEAKS_A = 1.5406
D = PEAKS_A / 2 / np.sin(np.radians(PEAKS[:, 0] / 2))


def _rows(template: str, *columns: np.ndarray) -> str:
    return "".join(template.format(*row) + "\n" for row in zip(*columns, strict=True))


def xy() -> bytes:
    return _rows("{:9.4f} {:10.1f}", X, Y).encode()


def xye() -> bytes:
    return ("# wavelength: 1.2345\n" + _rows("{:.4f} {:.1f} {:.1f}", X, Y, ESD)).encode()


def dash() -> bytes:
    return ("1.2345\n" + _rows("{:.4f} {:.1f} {:.1f}", X, Y, ESD)).encode()


def csv_names() -> bytes:
    return ("2Theta (deg),Intensity (counts)\r\n" + _rows("{:.4f},{:.1f}", X, Y)).encode()


def csv_index() -> bytes:
    body = _rows("{},{:.4f},{:.1f}", np.arange(COUNT), X, Y)
    return (",two_theta,I\n" + body).encode()


def csv_decimal_comma() -> bytes:
    body = _rows("{:.4f};{:.1f}", X, Y).replace(".", ",")
    return ("\ufeffWinkel;Imp\r\n2theta;intensity\r\n" + body).encode()


def csv_panalytical() -> bytes:
    head = "[Measurement conditions]\nSample identification,x\nK-Alpha1 wavelength,1.540598\n"
    head += "K-Alpha2 wavelength,1.544426\nK-A2/K-A1 Ratio,0.5\n[Scan points]\nAngle,Intensity\n"
    return (head + _rows("{:.4f},{:.1f}", X, Y)).encode()


def chi() -> bytes:
    head = f"title\n2-Theta Angle (Degrees)\nIntensity\n       {COUNT}\n"
    return (head + _rows(" {:.7E}  {:.7E}", X, Y)).encode()


def chi_q() -> bytes:
    q = 4 * np.pi * np.sin(np.radians(X / 2)) / 1.2
    head = f"title\nQ (Inverse Angstrom)\nIntensity\n       {COUNT}\n"
    return (head + _rows(" {:.9E}  {:.7E}", q, Y)).encode()


def pyfai_q_nm() -> bytes:
    q = 40 * np.pi * np.sin(np.radians(X / 2)) / 1.2
    head = "# == pyFAI calibration ==\n# Wavelength: 1.2e-10 m\n#        q_nm^-1             I \n"
    return (head + _rows("{:.9e} {:.7e}", q, Y)).encode()


def fullprof() -> bytes:
    rows = [" ".join(f"{v:7.0f}" for v in Y[i : i + 10]) for i in range(0, COUNT, 10)]
    return (f" {START:.3f} {STEP:.3f} {X[-1]:.3f} a title\n" + "\n".join(rows) + "\n").encode()


def _bank(kind: str, per_line: int) -> str:
    title = "a title in 80 characters"
    records = -(-COUNT // per_line)
    bank = f"BANK 1 {COUNT} {records} CONST {START * 100:.1f} {STEP * 100:.1f} 0 0 {kind}"
    return f"{title:80s}\n{bank:80s}\n"


def _records(per_line: int, cells: list[str]) -> str:
    lines = ["".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "".join(f"{line:80s}\n" for line in lines)


def gsas_std() -> bytes:
    return (_bank("STD", 10) + _records(10, [f"{v:8.0f}" for v in Y])).encode()


def gsas_counters() -> bytes:
    cells = [f"{2 + i // 100:2d}{v:6.0f}" for i, v in enumerate(Y)]
    return (_bank("", 10) + _records(10, cells)).encode()


def gsas_esd() -> bytes:
    # Titles of real files end in bytes of any kind.
    text = _bank("ESD", 5) + _records(5, [f"{v:8.1f}{e:8.1f}" for v, e in zip(Y, ESD, strict=True)])
    return text.encode().replace(b"characters", b"ch\xb2\x00\x01ters")


def gsas_alt() -> bytes:
    cells = [
        f"{x * 3200:8.0f}{y * 1e4:7.0f}{e * 1e4:5.0f}"
        for x, y, e in zip(X, Y / 1000, ESD / 1000, strict=True)
    ]
    return (_bank("ALT", 4) + _records(4, cells)).encode()


def gsas_fxye() -> bytes:
    return (_bank("FXYE", 1) + _rows("{:.3f} {:.2f} {:.2f}", X * 100, Y, ESD)).encode()


def _tens(form: str, values: np.ndarray) -> str:
    cells = [form.format(value) for value in values]
    return "\n".join("".join(cells[i : i + 10]) for i in range(0, len(cells), 10)) + "\n"


def psi() -> bytes:
    head = (
        f"HRPT, a title, a4=3.0\nlambda=  1.49400, T=   0.000, dT=  0.000\n{START:8.3f}{STEP:8.3f}"
    )
    head += f"{X[-1]:8.3f} 18000000., sample="
    text = head + '"x"\n' + _tens("{:7.0f}.", Y) + _tens("{:8.1f}", ESD)
    return (text + " Filelist='HRPT/2001/2455-2490'\n").encode()


def ill_two_axis() -> bytes:
    head = "D1A5 Title: 1.9114 A  a sample\n   Ident: 14113\n1.9114 A  a sample\n"
    head += f"{COUNT:6d} -1.000 100.018    1  100000.0       0.0\n"
    head += f"{START:10.4f}{STEP:10.4f}{X[-1]:10.4f}\n"
    return (head + _tens("{:8.1f}", Y) + _tens("{:8.2f}", ESD)).encode()


def ill_d1a() -> bytes:
    head = f"a sample, 1.9114 A\n{'':16s}{STEP:8.3f}\n{START:8.3f}\n{1e5:8.0f}{1e5:8.0f}\n"
    return (head + _tens(" 4{:6.0f}", Y) + _tens("{:8.0f}", np.full(10, -1000.0))).encode()


def ill_old_d1a() -> bytes:
    return (f"{START:8.3f}{STEP:8.3f}{X[-1]:8.3f}\n" + _tens(" 4{:6.0f}", Y)).encode()


def ill_d1b() -> bytes:
    head = "D1B\na sample, 2.52 A\n-\n"
    head += f"{1e6:13.0f}{'':10s}{START:8.3f}{'':45s}{STEP:9.3f}{0:9.3f}{300:9.3f}\n{COUNT:4d}\n"
    return (head + _tens(" 1{:8.0f}", Y) + "     -1000\n").encode()


def xrdml() -> bytes:
    first, second, ratio = DOUBLET
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed">
<xrdMeasurement measurementType="Scan"><usedWavelength intended="K-Alpha">
<kAlpha1 unit="Angstrom">{first}</kAlpha1><kAlpha2 unit="Angstrom">{second}</kAlpha2>
<kBeta unit="Angstrom">1.39225</kBeta><ratioKAlpha2KAlpha1>{ratio}</ratioKAlpha2KAlpha1>
</usedWavelength><scan scanAxis="Gonio"><dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>{X[0]}</startPosition>
<endPosition>{X[-1]}</endPosition></positions>
<positions axis="Omega" unit="deg"><commonPosition>5.0</commonPosition></positions>
<commonCountingTime unit="seconds">2.0</commonCountingTime>
<intensities unit="counts">{" ".join(f"{v:.0f}" for v in Y)}</intensities>
</dataPoints></scan></xrdMeasurement></xrdMeasurements>""".encode()


def _placed(size: int, *values: tuple[int, str, object]) -> bytes:
    block = bytearray(size)
    for at, kind, value in values:
        struct.pack_into("<" + kind, block, at, value)
    return bytes(block)


def raw_1() -> bytes:
    first, second, _ = DOUBLET
    head = _placed(
        156, (0, "4s", b"RAW "), (4, "I", COUNT), (8, "f", 1.5), (12, "f", STEP), (24, "f", START),
        (28, "f", START / 2), (40, "32s", b"sample"), (72, "f", first), (76, "f", second),
    )  # fmt: skip
    return head + Y.astype("<f4").tobytes()


def raw_2() -> bytes:
    head = _placed(
        256, (0, "4s", b"RAW2"), (4, "H", 1), (168, "20s", b"01-Jan-99"), (188, "2s", b"Cu"),
        (190, "f", DOUBLET[0]), (194, "f", DOUBLET[1]), (198, "f", DOUBLET[2]),
    )  # fmt: skip
    scan = _placed(
        60, (0, "H", 60), (2, "H", COUNT), (8, "f", 1.5), (12, "f", STEP), (16, "f", START)
    )
    return head + scan + Y.astype("<f4").tobytes()


def raw_3(ranges: int = 1) -> bytes:
    """Ranges that follow each other; each later one counted twice as long."""
    head = _placed(
        712, (0, "8s", b"RAW1.01"), (8, "I", 1), (12, "I", ranges), (608, "4s", b"Cu"),
        (616, "d", 1.54187), (624, "d", DOUBLET[0]), (632, "d", DOUBLET[1]), (648, "d", DOUBLET[2]),
    )  # fmt: skip
    for i in range(ranges):
        start = START + i * STEP * COUNT
        head += _placed(
            304, (0, "I", 304), (4, "I", COUNT), (8, "d", start / 2), (16, "d", start),
            (176, "d", STEP), (192, "f", 1.0 + i), (240, "d", DOUBLET[0]), (252, "I", 4),
            (256, "I", 8),
        ) + bytes(8)  # fmt: skip
        head += (Y * (1 + i)).astype("<f4").tobytes()
    return head


def raw_4() -> bytes:
    head = _placed(61, (0, "8s", b"RAW4.00"), (12, "12s", b"01/01/2020"))
    note = _placed(50, (0, "I", 10), (4, "I", 50), (12, "24s", b"SAMPLEID"), (36, "14s", b"x"))
    tube = _placed(
        120, (0, "I", 30), (4, "I", 120), (72, "d", 1.54187), (80, "d", DOUBLET[0]),
        (88, "d", DOUBLET[1]), (104, "d", DOUBLET[2]), (116, "4s", b"Cu"),
    )  # fmt: skip
    drive = _placed(
        64, (0, "I", 50), (4, "I", 64), (8, "I", 1), (12, "24s", b"2Theta"), (56, "d", START)
    )
    scan = _placed(
        160, (32, "24s", b"Locked Coupled"), (72, "d", START), (80, "d", STEP), (88, "I", COUNT),
        (92, "f", 300.0), (112, "d", DOUBLET[0]), (136, "I", 8), (140, "I", 64),
    )  # fmt: skip
    records = b"".join(struct.pack("<fI", v, 1) for v in Y)
    return head + note + tube + scan + drive + records


def zipped(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def brml() -> bytes:
    first, second, ratio = DOUBLET
    view = "http://www.w3.org/2001/XMLSchema-instance"
    data = _rows("<Datum>1.5,1,{:.4f},{:.4f},0,{:.0f}</Datum>", X, X / 2, Y)
    text = f"""<?xml version="1.0"?><RawData xmlns:xsi="{view}"><FixedInformation><Tube>
<WaveLengthAlpha1 Unit="Å" Value="{first}" /><WaveLengthAlpha2 Unit="Å" Value="{second}" />
<WaveLengthRatio Value="{ratio}" /></Tube></FixedInformation><DataRoutes>
<DataRoute RouteFlag="Measured"><ScanInformation ScanName="TwoThetaOmega" />{data}<DataViews>
<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime" />
<RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor" />
<RawDataView xsi:type="VaryingRawDataView" Start="2" Length="2"><Varying>
<FieldDefinitions FieldName="TwoTheta" AxisId="TwoTheta" />
<FieldDefinitions FieldName="Theta" AxisId="Theta" /></Varying></RawDataView>
<RawDataView xsi:type="RecordedRawDataView" Start="5" Length="1" /></DataViews></DataRoute>
</DataRoutes></RawData>"""
    scans = "<RawDataReferenceList><string>Experiment0/RawData0.xml</string></RawDataReferenceList>"
    members = {"Experiment0/DataContainer.xml": f"<DataContainer>{scans}</DataContainer>"}
    return zipped(members | {"Experiment0/RawData0.xml": text})


def ras(axis: str = "TwoThetaTheta", line: str = "Ka") -> bytes:
    head = f"""*RAS_DATA_START
*RAS_HEADER_START
*FILE_SAMPLE "x"
*HW_XG_TARGET_NAME "Cu"
*HW_XG_WAVE_LENGTH_ALPHA1 "{DOUBLET[0]}"
*HW_XG_WAVE_LENGTH_ALPHA2 "{DOUBLET[1]}"
*HW_XG_WAVE_LENGTH_BETA "1.392246"
*MEAS_COND_XG_WAVE_TYPE "{line}"
*MEAS_SCAN_AXIS_X_INTERNAL "{axis}"
*RAS_HEADER_END
*RAS_INT_START
"""
    factor = np.where(np.arange(COUNT) < 100, 1.0, 2.0)
    body = _rows("{:.4f} {:.4f} {:.4f}", X, Y / factor, factor)
    return (head + body + "*RAS_INT_END\n*RAS_DATA_END\n").replace("\n", "\r\n").encode()


def rasx() -> bytes:
    conditions = f"""<?xml version="1.0" encoding="utf-8"?><MeasurementConditions>
<HWConfigurations><XrayGenerator><TargetName>Cu</TargetName><WaveType>Ka</WaveType>
<WavelengthKalpha1>{DOUBLET[0]}</WavelengthKalpha1>
<WavelengthKalpha2>{DOUBLET[1]}</WavelengthKalpha2></XrayGenerator></HWConfigurations>
<ScanInformation><AxisName>TwoThetaTheta</AxisName></ScanInformation></MeasurementConditions>"""
    profile = "\ufeff" + _rows("{:.4f}\t{:.1f}\t1.0000", X, Y)
    return zipped(
        {
            "root.xml": '<Root Version="1.1.0.0"><Data0 Type="Profile"><ContentHashList '
            'Name="Profile0.txt" ContentHash="0" /><ContentHashList '
            'Name="MesurementConditions0.xml" ContentHash="0" /></Data0></Root>',
            "Data0/Profile0.txt": profile,
            "Data0/MesurementConditions0.xml": conditions,
        }
    )


def cif_range() -> bytes:
    head = f"""data_x
_diffrn_radiation_probe x-ray
_pd_meas_2theta_range_min {X[0]}
_pd_meas_2theta_range_max {X[-1]:.2f}
_pd_meas_2theta_range_inc {STEP}
loop_
_diffrn_radiation_wavelength
_diffrn_radiation_wavelength_wt
{DOUBLET[1]} {DOUBLET[2]}
{DOUBLET[0]} 1.0
loop_
_pd_meas_counts_total
_pd_calc_intensity_total
"""
    return (head + _rows("{:.0f} 0.5", Y)).encode()


def cif_loop() -> bytes:
    head = "data_a\n_cell_length_a 5\ndata_b\n_diffrn_radiation_probe neutron\n"
    head += "_diffrn_radiation_wavelength 1.909(1)\nloop_\n_pd_proc_2theta_corrected\n"
    head += "_pd_proc_intensity_total\n"
    return (head + _rows("{:.3f} {:.1f}(25)", X, Y)).encode()


def _parquet(columns: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), file)
    return file.getvalue()


def parquet_pattern() -> bytes:
    return _parquet({"two_theta_deg": X, "intensity": Y}, {"wavelength_A": "1.2"})


def parquet_peaks() -> bytes:
    columns = {"name": ["a"] * len(D), "d_A": D, "intensity": PEAKS[:, 1]}
    return _parquet(columns)


def peaks_d() -> bytes:
    return ("# lines\nd_A intensity\n" + _rows("{:.6f} {:.0f}", D, PEAKS[:, 1])).encode()


def peaks_csv() -> bytes:
    head = "# wavelength: 1.5406\n2theta,I,FWHM,2theta_error\n"
    return (head + _rows("{:.3f},{:.0f},0.11,0.012", *PEAKS.T)).encode()


def pkslst() -> bytes:
    head = "# GSAS-II peaks, wavelength: 1.5406\n"
    body = _rows("[{!r}, True, {!r}, True, 12.5, False, 3.0, False]", *PEAKS.T)
    return (head + body.replace("[np.float64(12.0)", "[12.0") + "{'U': 1.0}\n").encode()


def mcmaille() -> bytes:
    head = "SAMPLE 7       title\n1.5406 0.0 3\n!!! a comment\n"
    return (head + _rows("{:.3f}   {:.0f}.", *PEAKS.T)).encode()


def jcpds() -> bytes:
    head = "VERSION: 4\nCOMMENT: a phase\nK0:  114.0\nSYMMETRY: CUBIC\nA:   5.0\nALPHAT: 0.0\n"
    return (head + _rows("DIHKL: {:.6f} {:.0f} 1 0 -2", D, PEAKS[:, 1])).encode()


def jcpds_old() -> bytes:
    head = (
        "A phase (JCPDS 0-173, EOS n/a)\n2 2.505, 194.0, 5.0 1.6208\nd (A)      I/I0    h   k   l\n"
    )
    return (head + _rows("{:.6f}  {:4.0f}   0  1  12", D, PEAKS[:, 1])).encode()


#: Suffix, writer, wavelength that the file states (None where it does not).
PATTERNS: dict[str, tuple[str, Callable[[], bytes], float | None]] = {
    "xy": (".xy", xy, None),
    "xye": (".xye", xye, 1.2345),
    "dash": (".xye", dash, 1.2345),
    "csv names": (".csv", csv_names, None),
    "csv index": (".csv", csv_index, None),
    "csv decimal comma": (".csv", csv_decimal_comma, None),
    "csv panalytical": (".csv", csv_panalytical, DOUBLET[0]),
    "chi": (".chi", chi, None),
    "pyfai": (".dat", pyfai_q_nm, 1.2),
    "fullprof": (".dat", fullprof, None),
    "gsas std": (".gsas", gsas_std, None),
    "gsas counters": (".raw", gsas_counters, None),
    "gsas esd": (".gda", gsas_esd, None),
    "gsas fxye": (".fxye", gsas_fxye, None),
    "psi": (".dat", psi, 1.494),
    "ill two axes": (".dat", ill_two_axis, 1.9114),
    "ill d1a": (".dat", ill_d1a, 1.9114),
    "ill old d1a": (".dat", ill_old_d1a, None),
    "ill d1b": (".dat", ill_d1b, 2.52),
    "xrdml": (".xrdml", xrdml, DOUBLET[0]),
    "raw 1": (".raw", raw_1, DOUBLET[0]),
    "raw 2": (".raw", raw_2, DOUBLET[0]),
    "raw 3": (".raw", raw_3, DOUBLET[0]),
    "raw 4": (".raw", raw_4, DOUBLET[0]),
    "brml": (".brml", brml, DOUBLET[0]),
    "ras": (".ras", ras, DOUBLET[0]),
    "rasx": (".rasx", rasx, DOUBLET[0]),
    "cif range": (".cif", cif_range, DOUBLET[0]),
    "cif loop": (".cif", cif_loop, 1.909),
    "parquet": (".parquet", parquet_pattern, 1.2),
}
#: Those that state a doublet.
DOUBLETS = (
    "csv panalytical", "xrdml", "raw 1", "raw 2", "raw 3", "raw 4", "brml", "ras", "rasx",
    "cif range",
)  # fmt: skip
PEAK_LISTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "d": (".txt", peaks_d),
    "csv": (".csv", peaks_csv),
    "pkslst": (".pkslst", pkslst),
    "mcmaille": (".dat", mcmaille),
    "jcpds": (".jcpds", jcpds),
    "jcpds old": (".jcpds", jcpds_old),
    "parquet peaks": (".parquet", parquet_peaks),
}
