"""Faces in a picture: where they are, how they are turned, how to cut them out and lay them back.

    hits = Detector()(rgb)                      list[Hit]: box, six keypoints, score; best first
    points, presence = Mesh()(rgb, roi(hits[0]))   (468, 2) in picture pixels, 0 … 1
    points, presence = Mesh()(rgb, follow(points)) the next frame without detecting again
    yaw(points), pitch(points), opening(points) degrees, degrees, share of the eye distance
    mouths = of_mesh(points, numbers)           (n, 4) x, y, half width at rest, roll of a mesh's mouth
    faces = drawn.follow(pictures)              drawn faces of a shot, by their mouths; no mesh is needed
    face = follow_from(pictures, x, y, half)    the face whose mouth a person pointed at
    squares = frame_squares(numbers, places, spec)  (n, 4) smoothed centre x, centre y, side, roll
    crop = cut(rgb, square, size)               (size, size, 3) uint8 or float, antialiased
    patch = enlarge(crop, square, (x, y, w, h)) the crop back on the picture's own pixels
    into(points, square), out_of(points, square)   picture pixels ↔ 0 … 1 of the crop
    mouth_into(mouth, square)                   where the mouth is, in 0 … 1 of the crop
    matte(places, spec, wide)                   (T, size, size) 0 … 1: how much of a drawn crop may cover the plate

Everywhere x runs right, y down, and 0 is the picture's edge, not the middle of its first pixel.
"""
