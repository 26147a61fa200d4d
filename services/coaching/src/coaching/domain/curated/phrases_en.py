"""English sentences of the composed coach. {topic} is a word of the person's own, in quotes."""

from coaching.domain.curated.menu import Mood, Move

REFLECTIONS: dict[Mood, tuple[str, ...]] = {
    Mood.GREETING: (
        "Hello, it is good to hear from you.",
        "Hi, nice that you are here.",
        "Hello, I am glad you took a moment for yourself.",
    ),
    Mood.THANKS: (
        "You are welcome.",
        "Gladly, and the work is yours.",
        "Thank you for saying so.",
    ),
    Mood.ABOUT_ME: (
        "I am a coaching program, a machine that listens, asks, and keeps what you tell it in mind.",
        "I am not a person but a program that helps you find small steps.",
    ),
    Mood.TIRED: (
        "That sounds like a lot of strength used up lately.",
        "Being this tired makes everything heavier than it is.",
        "Your energy seems low, and that deserves to be taken seriously.",
    ),
    Mood.OVERWHELMED: (
        "That is a lot to carry at once.",
        "It sounds as if everything wants something from you at the same time.",
        "With so much going on, it is hard to know where to begin.",
    ),
    Mood.STUCK: (
        "It sounds as if you know where you want to go and something keeps holding you.",
        "Being stuck is frustrating, all the more when you really want it.",
        "So the wish is there and the start is the hard part.",
    ),
    Mood.WORRIED: (
        "I hear that this worries you.",
        "It is unsettling not to know how this will turn out.",
        "That worry shows that something important is at stake for you.",
    ),
    Mood.SAD: (
        "That sounds sad, and it is fine to say so.",
        "I am sorry that this weighs on you.",
        "Thank you for telling me something that hurts.",
    ),
    Mood.ANGRY: (
        "I can hear how much this annoys you.",
        "Anger like that often guards something that matters.",
        "That would test anybody's patience.",
    ),
    Mood.LONELY: (
        "It is hard to be on your own with this.",
        "Feeling alone with something makes it twice as big.",
        "I hear that you miss having somebody beside you in this.",
    ),
    Mood.PROUD: (
        "That is a real achievement, and it was you who did it.",
        "You have every reason to be pleased with that.",
        "It is worth stopping for a moment to enjoy that.",
    ),
    Mood.HOPEFUL: (
        "There is some good energy in what you write.",
        "It sounds as if something is beginning to move.",
        "That is a hopeful note, and a good place to build on.",
    ),
    Mood.DETERMINED: (
        "You have made up your mind, and that is half of a beginning.",
        "I hear a clear wish in that.",
        "That is a goal with your own name on it.",
    ),
    Mood.UNSURE: (
        "You do not have to know the answer yet.",
        "It sounds as if there are several voices in you about this.",
        "Not being sure can be a good time to look closely.",
    ),
    Mood.SHARING: (
        "Thank you for telling me about that.",
        "I hear you, and I would like to understand it better.",
        "That seems to be on your mind today.",
    ),
}

TOPICS: tuple[str, ...] = (
    "You mention {topic}, so let us stay with that for a moment.",
    "The word {topic} stands out to me in what you wrote.",
    "Let us look at {topic} first.",
)

MEMORIES: tuple[str, ...] = (
    "Earlier you told me: {quote}",
    "I remember that you wrote: {quote}",
    "You once said: {quote}",
)

MOVES: dict[Move, tuple[str, ...]] = {
    Move.SMALLEST_STEP: (
        "What is the smallest step you could take today, one that takes two minutes?",
        "If you made it ten times smaller, what would be left that you could simply do?",
        "Which first move is so small that you could not fail at it?",
    ),
    Move.WHAT_HELPED: (
        "When did something like this go a little better, and what was different then?",
        "What has helped you before in a moment like this?",
        "Which of your strengths got you through something similar?",
    ),
    Move.WHAT_MATTERS: (
        "What makes this important to you?",
        "What would change in your days if this went well?",
        "What do you most want to protect here?",
    ),
    Move.OBSTACLE: (
        "What gets in the way most often?",
        "Where exactly does it usually come to a halt?",
        "What would have to be out of the way for it to be easy?",
    ),
    Move.SCALE: (
        "On a scale from 0 to 10, where are you with it today, and what would one point more look like?",
        "If 10 is how you want it to be, which number is it now, and why not a lower one?",
    ),
    Move.WHEN_AND_WHERE: (
        "When and where in your day would it fit best?",
        "Which moment of tomorrow would be the easiest for it?",
        "After which thing that you do anyway could you put it?",
    ),
    Move.SUPPORT: (
        "Who could make this a little lighter for you?",
        "Whom would you like to tell about it?",
        "What kind of support would do you good now?",
    ),
    Move.NAME_IT: (
        "What is the hardest part of it for you right now?",
        "If you gave the feeling a name, what would it be?",
        "What would you like me to understand about it?",
    ),
}
