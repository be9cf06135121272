"""Sound as networks take it.

columns = mel(speech)                    (80, N) at 80 columns a second, −4 silence … +4 loud
levelled = level(speech)                 one loudness for every voice
sound = windows(columns, times, before)  (T, 80, 16), one window for every frame, found by time
"""
