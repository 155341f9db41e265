"""Draws the footage of the rehearsal: one camera, one shelf, one shelf sweep.

A stand-in for a store's camera. It shows that real H.264 goes through the whole chain; it does not
show that a model recognises anything, because nobody was filmed and the person is a drawing.

What a camera's fragments look like is kept: H.264 High, 4:2:0, 15 frames a second, one key frame
every 2 s (fixed and closed groups of pictures, no B-frames), one Matroska cluster per group.
The times of the acts below are also the times in `shelf-sweep.json`; change both.

    python3 -m venv venv && venv/bin/pip install av==18.1.0 numpy==2.4.6 pillow==13.0.0
    venv/bin/python make.py shelf-sweep.mkv

The same versions give the same bytes.
"""

import math
import sys

import av
import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT, FPS, SECONDS, GOP_SECONDS = 640, 360, 15, 20, 2
SCALE = 2  # drawn twice as large and reduced, which smooths the edges

# The acts, in seconds.
ENTERS, ARRIVES, SWEEPS, STOPS, LEAVES, GONE = 1.0, 4.6, 6.2, 8.9, 9.6, 13.6

FLOOR_Y = 316  # where feet stand
STANDS_X = 336  # where the person stops, just left of the shelf
BOARDS_Y = (112, 178, 244, 306)  # the shelf's boards, top to bottom
SHELF_LEFT, SHELF_RIGHT = 352, 606
SWEPT_BOARD = 1
SWEPT_COUNT = 6

GOODS = ("#b5483a", "#2f6b8f", "#d9a441", "#4f7f4a", "#7a4b7d", "#c9c2ae", "#a65d2e", "#356f6a")


def ease(t, start, end):
    """0 before start, 1 after end, smooth between."""
    x = min(max((t - start) / (end - start), 0.0), 1.0)
    return x * x * (3 - 2 * x)


def box(draw, x0, y0, x1, y1, **style):
    draw.rectangle([x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE], **style)


def limb(draw, points, width, fill):
    """A line with round joints through the points."""
    scaled = [(x * SCALE, y * SCALE) for x, y in points]
    draw.line(scaled, fill=fill, width=width * SCALE, joint="curve")
    radius = width * SCALE / 2
    for x, y in scaled:
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)


def slots():
    """Every product's place: (board, index, left, width, height, colour)."""
    for board, base in enumerate(BOARDS_Y):
        left = SHELF_LEFT + 8
        for index in range(11):
            width = 15 + (index * 7 + board * 5) % 6
            height = 30 + (index * 11 + board * 17) % 15
            if board == SWEPT_BOARD:
                width, height = 17, 38  # one kind of small, dear box: what gets swept
            yield board, index, left, width, height, GOODS[(index // 2 + board * 3) % len(GOODS)]
            left += width + 4


def product(draw, x, y, width, height, colour):
    """One package with its label; (x, y) is its lower left corner."""
    box(draw, x, y - height, x + width, y, fill=colour, outline="#2b2620")
    box(draw, x + 3, y - height * 0.62, x + width - 3, y - height * 0.34, fill="#efe9da")


def background():
    """All that never moves: wall, floor, shelf, price rail, lamp light."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "#8d918c")
    draw = ImageDraw.Draw(image)
    box(draw, 0, 0, WIDTH, 214, fill="#a9ada6")
    for x in range(0, WIDTH, 80):  # wall panels
        box(draw, x, 40, x + 1, 214, fill="#989c95")
    box(draw, 0, 208, WIDTH, 216, fill="#6f736e")
    for row, y in enumerate(range(216, HEIGHT, 24)):  # floor tiles
        box(draw, 0, y, WIDTH, y + 1, fill="#7b7f7a")
        for x in range(-80, WIDTH, 90 + row * 14):
            draw.line([x * SCALE, y * SCALE, (x - 16) * SCALE, (y + 24) * SCALE], fill="#7b7f7a", width=2)
    box(draw, 36, 88, 148, 160, fill="#d8d2bf", outline="#5a5a52")  # a poster
    box(draw, 46, 98, 138, 122, fill="#b5483a")
    for y in (132, 140, 148):
        box(draw, 46, y, 130, y + 3, fill="#8a8576")
    box(draw, SHELF_LEFT - 6, 62, SHELF_RIGHT + 6, 312, fill="#5d6268", outline="#3a3d40")
    box(draw, SHELF_LEFT, 70, SHELF_RIGHT, 306, fill="#474b50")
    box(draw, SHELF_LEFT - 6, 50, SHELF_RIGHT + 6, 68, fill="#2f5d50")
    draw.text(((SHELF_LEFT + 70) * SCALE, 51 * SCALE), "AISLE 5  RAZORS", fill="#f0ead8", font=font(13))
    for y in BOARDS_Y:
        box(draw, SHELF_LEFT - 4, y, SHELF_RIGHT + 4, y + 7, fill="#c8ccc9", outline="#3a3d40")
        for x in range(SHELF_LEFT + 10, SHELF_RIGHT - 16, 42):  # price labels
            box(draw, x, y + 1, x + 14, y + 6, fill="#f4e9a8")
    return image


def font(size):
    return ImageFont.load_default(size * SCALE)


def hand_position(t, shoulder):
    """The sweeping hand: reaches to the far end, pulls left to the bag, comes to rest."""
    rest = (shoulder[0] + 4, shoulder[1] + 62)
    far = (SHELF_LEFT + 8 + SWEPT_COUNT * 21, BOARDS_Y[SWEPT_BOARD] - 18)
    near = (SHELF_LEFT - 4, BOARDS_Y[SWEPT_BOARD] - 16)
    reach, pull, drop = ease(t, 5.6, SWEEPS), ease(t, SWEEPS, STOPS - 0.5), ease(t, STOPS - 0.3, STOPS + 0.4)
    x = rest[0] + (far[0] - rest[0]) * reach + (near[0] - far[0]) * pull + (rest[0] - near[0]) * drop
    y = rest[1] + (far[1] - rest[1]) * reach + (near[1] - far[1]) * pull + (rest[1] - near[1]) * drop
    return x, y


def goods(draw, t, bag):
    """Products on the boards, and those on their way into the bag."""
    pull = ease(t, SWEEPS, STOPS - 0.5)
    reach = SHELF_LEFT + 8 + SWEPT_COUNT * 21
    edge = reach - (reach - SHELF_LEFT + 45) * pull  # the hand pushes from here leftwards
    for board, index, left, width, height, colour in slots():
        base = BOARDS_Y[board]
        if board != SWEPT_BOARD or index >= SWEPT_COUNT or t < SWEEPS:
            product(draw, left, base, width, height, colour)
            continue
        pushed = min(left, edge - (SWEPT_COUNT - index) * 9)
        if pushed > SHELF_LEFT - 14:
            product(draw, pushed, base, width, height, colour)
            continue
        # Over the edge: it falls into the bag and is gone.
        fallen = (SHELF_LEFT - 14 - pushed) / 26
        if fallen < 1:
            x = SHELF_LEFT - 14 + (bag[0] - width / 2 - SHELF_LEFT + 14) * fallen
            product(draw, x, base + (bag[1] - base + 16) * fallen**1.6, width, height, colour)


def bag_position(t, x, facing):
    """The bag's opening: at the side while walking, lifted to the board while sweeping."""
    lift = ease(t, 5.2, SWEEPS) * (1 - ease(t, STOPS, LEAVES))
    return x + facing * (20 + 2 * lift), 252 - 46 * lift


def person(draw, t, x, facing, step):
    """A walking figure in a hooded jacket; no face, it is nobody."""
    lean = 22 * ease(t, 5.6, SWEEPS) * (1 - ease(t, STOPS, LEAVES)) * facing
    bob = abs(math.sin(step)) * 2
    hip, shoulder = (x, 226 - bob), (x + lean, 156 - bob)
    swing = math.sin(step) * 20
    for direction, shade in ((-1, "#22262d"), (1, "#2c313a")):
        foot = (x + direction * swing, FLOOR_Y - max(0.0, direction * math.cos(step)) * 6 * (swing != 0))
        knee = ((hip[0] + foot[0]) / 2 + facing * 5, 272 - bob)
        limb(draw, [hip, knee, foot], 13, shade)
        limb(draw, [foot, (foot[0] + facing * 11, foot[1] + 1)], 7, "#15171a")
    limb(draw, [hip, shoulder], 34, "#56606e")
    head = (shoulder[0] + facing * 3, shoulder[1] - 34)
    for radius, colour, shift in ((17, "#48515d", 0), (11, "#9c7a62", facing * 5)):
        centre = ((head[0] + shift) * SCALE, head[1] * SCALE)
        reach = radius * SCALE
        draw.ellipse([centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach], fill=colour)
    return shoulder


def arms(draw, t, shoulder, bag, facing, step):
    sweeping = 5.6 <= t <= STOPS + 0.4
    hand = hand_position(t, shoulder) if sweeping else (
        shoulder[0] - math.sin(step) * 18, shoulder[1] + 60)
    elbow = ((shoulder[0] + hand[0]) / 2 - 4 * facing, (shoulder[1] + hand[1]) / 2 + 12)
    limb(draw, [shoulder, elbow, hand], 11, "#4a5360")
    limb(draw, [hand, hand], 10, "#9c7a62")
    holding = (bag[0], bag[1] - 6)
    elbow = ((shoulder[0] + holding[0]) / 2 - 10 * facing, (shoulder[1] + holding[1]) / 2 + 10)
    limb(draw, [shoulder, elbow, holding], 11, "#5f6a79")


def bag_shape(draw, bag, full):
    """A shopping bag that grows as it fills."""
    half, depth = 17 + 5 * full, 40 + 8 * full
    x, y = bag
    corners = [(x - half, y), (x + half, y), (x + half - 3, y + depth), (x - half + 3, y + depth)]
    draw.polygon([(px * SCALE, py * SCALE) for px, py in corners], fill="#b08d57", outline="#5c4726")
    box(draw, x - half + 6, y + 12, x + half - 6, y + 18, fill="#8c6d3f")


def walk(t):
    """Where the person is: (x, facing, phase of the step), or None when out of the picture."""
    if t < ENTERS or t > GONE:
        return None
    if t < ARRIVES:
        share = (t - ENTERS) / (ARRIVES - ENTERS)
        return -40 + (STANDS_X + 40) * share, 1, share * 8 * math.pi
    if t < LEAVES:
        return STANDS_X, 1, 0.0
    share = (t - LEAVES) / (GONE - LEAVES)
    return STANDS_X - (STANDS_X + 50) * share, -1, share * 9 * math.pi


def draw_frame(base, index):
    t = index / FPS
    image = base.copy()
    draw = ImageDraw.Draw(image)
    place = walk(t)
    bag = bag_position(t, place[0], place[1]) if place else (0, 0)
    goods(draw, t, bag)
    if place:
        x, facing, step = place
        shoulder = person(draw, t, x, facing, step)
        bag_shape(draw, bag, ease(t, SWEEPS + 0.5, STOPS))
        arms(draw, t, shoulder, bag, facing, step)
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.4))
    draw = ImageDraw.Draw(image)
    draw.rectangle([8, 8, 214, 27], fill="#101214")
    draw.text((13, 10), f"CAM AISLE-5-A  00:{t:06.3f}", fill="#e8e8e0", font=ImageFont.load_default(13))
    return numpy.asarray(image)


def main(path):
    base = background()
    options = {"cluster_time_limit": str(GOP_SECONDS * 1000), "fflags": "+bitexact"}
    with av.open(path, "w", format="matroska", options=options) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        gop = GOP_SECONDS * FPS
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = 0
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "slow", "crf": "24",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:open-gop=0:threads=1",
        }
        for index in range(SECONDS * FPS):
            frame = av.VideoFrame.from_ndarray(draw_frame(base, index), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


if __name__ == "__main__":
    main(sys.argv[1])
