"""What will probably happen, pure: household load, solar yield, when the car is home."""
