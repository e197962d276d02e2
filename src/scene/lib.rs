//! The view model of Podium: a pure function of world and cursor.
