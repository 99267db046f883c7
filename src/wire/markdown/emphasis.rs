//! Which marks of emphasis belong together, by the rules of CommonMark, in one walk over them.

use super::scan::steps;

/// Marks of one kind without anything between them.
pub struct Run {
    pub mark: u8,
    /// How many there were.
    length: usize,
    /// How many belong to no other run.
    pub left: usize,
    opens: bool,
    closes: bool,
    /// How many marks each element has that begins here, the innermost first.
    pub opened: Vec<u8>,
    /// How many marks each element has that ends here, the innermost first.
    pub closed: Vec<u8>,
}

/// Punctuation: that of ASCII, and the blocks of others.
fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation()
        || matches!(letter, '\u{a1}'..='\u{a9}' | '\u{ab}'..='\u{b1}' | '\u{b4}'..='\u{b9}' | '\u{bb}' | '\u{bf}')
        || matches!(letter, '\u{2010}'..='\u{2bff}' | '\u{3000}'..='\u{303f}')
}

impl Run {
    /// A run between two letters, if it can be emphasis.
    pub fn of(mark: u8, length: usize, before: Option<char>, next: Option<char>) -> Option<Self> {
        let blank = |letter: Option<char>| letter.is_none_or(char::is_whitespace);
        let punctuation = |letter: Option<char>| letter.is_some_and(is_punctuation);
        let left = !blank(next) && (!punctuation(next) || blank(before) || punctuation(before));
        let right = !blank(before) && (!punctuation(before) || blank(next) || punctuation(next));
        let (opens, closes) = match mark {
            // Names have underscores within them.
            b'_' => (left && (!right || punctuation(before)), right && (!left || punctuation(next))),
            b'~' if length != 2 => (false, false),
            _ => (left, right),
        };
        let run = Self { mark, length, left: length, opens, closes, opened: Vec::new(), closed: Vec::new() };
        (opens || closes).then_some(run)
    }

    /// Whether what this run opens is closed by another one.
    fn matches(&self, closer: &Self) -> bool {
        let both = self.closes || closer.opens;
        let odd = (self.length + closer.length).is_multiple_of(3) && !self.length.is_multiple_of(3);
        self.mark == closer.mark && !(both && odd)
    }

    /// What runs that close have in common if they have the same openers, as a number below [`KINDS`].
    fn kind(&self) -> usize {
        let mark = match self.mark {
            b'*' => 0,
            b'_' => 1,
            _ => 2,
        };
        mark * 6 + self.length % 3 * 2 + usize::from(self.opens)
    }
}

/// Three marks, three remainders, whether a run opens too.
const KINDS: usize = 18;

/// Pairs runs. What a run did not find on the stack, another of its kind does not search there again.
pub fn pair(runs: &mut [Run], waiting: Vec<usize>) {
    let mut stack: Vec<usize> = Vec::new();
    let mut searched = [0; KINDS];
    for at in waiting {
        let Some((before, rest)) = runs.split_at_mut_checked(at) else { return };
        let Some(run) = rest.first_mut() else { return };
        let kind = run.kind();
        while run.closes && run.left > 0 {
            let from = searched.get(kind).copied().unwrap_or(0);
            let candidates = stack.get(from..).unwrap_or_default();
            let found = candidates.iter().rposition(|opener| {
                steps::add(1);
                before.get(*opener).is_some_and(|opener| opener.matches(run))
            });
            let opener = found.and_then(|found| Some((from + found, before.get_mut(*stack.get(from + found)?)?)));
            let Some((place, opener)) = opener else {
                if let Some(searched) = searched.get_mut(kind) {
                    *searched = stack.len();
                }
                break;
            };
            let marks = if opener.left.min(run.left) >= 2 { 2 } else { 1 };
            for (run, list) in [(&mut opener.left, &mut opener.opened), (&mut run.left, &mut run.closed)] {
                *run -= usize::from(marks);
                list.push(marks);
            }
            stack.truncate(place + usize::from(opener.left > 0));
            for searched in &mut searched {
                *searched = stack.len().min(*searched);
            }
        }
        if run.opens && run.left > 0 {
            stack.push(at);
        }
    }
}
